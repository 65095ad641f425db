"""Coverage-guided fuzzing of what takes bytes from outside: `make fuzz`.

Each target may raise one documented kind of error; anything else is a finding,
which libFuzzer prints and keeps in a file that starts with `crash-`.
"""

import contextlib
import io
import json
import sys

import atheris


with atheris.instrument_imports(include=["flux_cli"]):
    from flux_cli.api.decoding import BodyCut, BodyTooLarge, UnknownEncoding, read_body
    from flux_cli.api.responses import ResponseHead, parse_batch
    from flux_cli.errors import InputError, ServiceError
    from flux_cli.input.decoding import Text
    from flux_cli.input.id_reader import read_ids
    from flux_cli.input.plan import plan
    from flux_cli.input.prompt_reader import read_prompts_in
    from flux_cli.input.prompts import Prompt
    from flux_cli.models.ids import TaskIds
    from flux_cli.models.requests import RequestKind
    from flux_cli.models.task import parse_task
    from flux_cli.output.jsonl import encode_record
    from flux_cli.output.records import as_record
    from flux_cli.output.sanitize import one_line, sanitize, web_url


def reply(data: bytes) -> None:
    """A reply's bytes are records or one error, and every record becomes a line of JSON."""
    status = 200
    if data[:1] not in (b"{", b"["):
        status, data = 100 + int.from_bytes(data[:2]) % 900, data[2:]
    with contextlib.suppress(ServiceError):
        for item in parse_batch(ResponseHead(status), data).items:
            task = parse_task("an-id", item, 0.0, keep_raw=True)
            json.loads(encode_record(as_record(task)))


def body(data: bytes) -> None:
    """A body's bytes decode within the cap, or to one of three errors."""
    chunks = [data[start : start + 7] for start in range(1, len(data), 7)]
    with contextlib.suppress(BodyCut, BodyTooLarge, UnknownEncoding):
        assert len(read_body(chunks, ("", "gzip")[data[:1] > b"\x80"], max_bytes=1000)) <= 1000


def ids(data: bytes) -> None:
    """A file's bytes are ids, problems with a line, or one error."""
    found = TaskIds()
    with contextlib.suppress(InputError):
        for text, line, _ in read_ids(Text(io.BytesIO(data), "file")):
            assert line >= 1
            if isinstance(text, str):
                with contextlib.suppress(ValueError):
                    found.add(text)


def prompts(data: bytes) -> None:
    """A file's bytes are prompts that can be sent, or one error."""
    kind = list(RequestKind)[len(data) % 3]
    with contextlib.suppress(InputError):
        found = read_prompts_in(Text(io.BytesIO(data), "file"))
        rows = (Prompt(fields, labels, f"file:{line}") for fields, labels, line in found)
        for request in plan(kind, rows, {}):
            json.dumps(request.body, allow_nan=False).encode()


def text(data: bytes) -> None:
    """Safe text holds nothing that a terminal acts on, and doing it twice changes nothing."""
    given = data.decode("utf-32-le" if data[:1] == b"\0" else "utf-8", "replace")
    for safe in (sanitize(given), one_line(given, 20), web_url(given) or ""):
        assert sanitize(safe) == safe
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in safe)


TARGETS = {target.__name__: target for target in (reply, body, ids, prompts, text)}


if __name__ == "__main__":
    name, *options = sys.argv[1:]
    atheris.Setup([name, *options], TARGETS[name])
    atheris.Fuzz()
