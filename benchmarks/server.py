"""A service that is faster than any client: `python -m benchmarks.server`.

It answers a batch query from a template, and prints its base URL. `GET /stats`
tells how many queries it answered, and begins to count anew. With `--looks N`
the tasks are finished one after the other, at the first to the Nth look. Any
`GET /files/...` is a picture of 1 MB. `--certificate FILE` makes it speak TLS.
"""

import argparse
import asyncio
import json
import ssl
from collections import Counter


PROMPT = (
    "a lighthouse in a storm at night, oil on canvas, waves breaking over the rocks, dramatic light"
    " from the lamp, thick brush strokes, deep blues and a single warm yellow, wide angle"
)
FINISHED = (  # every field that the service documents
    '{"_id":"677de81d550a4144a5f4cf62","id":"%s",'
    '"api_id":"deefc5d7-7f22-43e9-929e-f2b6afee60b7",'
    '"application_id":"001c2f84-2a4a-4c4d-ba3f-8a89f43b5be2","created_at":1736304669.779,'
    '"started_at":1736304669.839,"finished_at":1736304679.439,"elapsed":9.6,"type":"images",'
    '"credential_id":"b00bddd3-140f-4343-a9a2-affb312b60de","request":{"action":"generate",'
    f'"model":"flux-dev","size":"1024x1024","count":1,"prompt":"{PROMPT}"}},"trace_id":"%s",'
    '"user_id":"ad7afe47-cea9-4cda-980f-2ad8810e51cf","response":{"success":true,"task_id":"%s",'
    f'"trace_id":"%s","data":[{{"prompt":"{PROMPT}","image_url":"https://platform2.cdn.acedata.cloud/flux/%s.png",'
    '"seed":281520112,"timings":{"inference":3.193}}]}}'
)
RUNNING = '{"id":"%s","created_at":1736304669.779,"started_at":1736304669.839,"type":"images"}'


class Service:
    """Knows how often each task was asked for, where that matters."""

    def __init__(self, latency: float, looks: int) -> None:
        self.latency = latency
        self._most_looks = looks
        self._looks: Counter[str] = Counter()
        self.requests = 0

    def answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /stats"):
            stats = json.dumps({"requests": self.requests})
            self.requests = 0
            self._looks.clear()
            return reply(stats)
        if head.startswith(b"GET /files/"):
            return PICTURE
        self.requests += 1
        query = json.loads(body)
        if query["action"] == "retrieve":
            return reply(self._record(query["id"]))
        items = ",".join(map(self._record, query["ids"]))
        return reply(f'{{"items":[{items}],"count":{len(query["ids"])}}}')

    def _record(self, task_id: str) -> str:
        if self._most_looks:
            self._looks[task_id] += 1
            if self._looks[task_id] <= int(task_id[:8], 16) % self._most_looks:
                return RUNNING % task_id
        return FINISHED % ((task_id,) * 5)


def reply(text: str) -> bytes:
    return whole(text.encode(), "application/json")


def whole(body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def picture(size: int) -> bytes:
    """Return a PNG of `size` bytes: as a format, not as a picture."""
    chunk = b"%bIDAT%b" % ((size - 12 - 12 - 8).to_bytes(4), b"\x5a" * (size - 12 - 12 - 8))
    end = b"\0\0\0\0IEND\xaeB`\x82"
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0" * 4 + end


PICTURE = whole(picture(1_000_000), "image/png")


class Exchange(asyncio.Protocol):
    """One connection: whole requests in, replies out, after the latency."""

    transport: asyncio.Transport

    def __init__(self, service: Service) -> None:
        self._service = service
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what replies are written to."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is whole."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        if len(body) < length:
            return
        self._data = b""
        answer = self._service.answer(head, body)
        if self._service.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self._service.latency, self.transport.write, answer)
        else:
            self.transport.write(answer)


async def serve(service: Service, certificate: str) -> None:
    """Listen on a free port of this machine until killed."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Exchange(service), "127.0.0.1", 0, backlog=128, ssl=context
    )
    scheme = "https" if context else "http"
    print(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--looks", type=int, default=0)
    parser.add_argument("--certificate", default="", help="with its key, for TLS")
    options = parser.parse_args()
    asyncio.run(serve(Service(options.latency, options.looks), options.certificate))
