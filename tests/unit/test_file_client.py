"""What a reply to a request for a file says of it."""

import httpx
import pytest

from flux_cli.api.file_client import Access, FileClient


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ([(b"etag", b'"a"'), (b"last-modified", b"Mon")], '"a"'),
        ([(b"etag", b'W/"a"'), (b"last-modified", b"Mon")], "Mon"),
        ([(b"etag", b'W/"a"')], None),
        ([(b"etag", b'"\xe4"')], None),
        ([(b"etag", '"ä"'.encode())], None),
        ([(b"last-modified", b"Mon\x01")], None),
        ([], None),
    ],
)
def test_the_rest_of_a_file_is_asked_for_with_what_can_be_sent(
    headers: list[tuple[bytes, bytes]], validator: str | None
) -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers=headers, content=b"ok")

    access = Access(30.0, connections=1, allows_local=False, route=lambda *_: None)
    url = "https://pictures.example/a.png"
    with FileClient(access, transport=httpx.MockTransport(handle)) as files:
        with files.open(url) as first:
            assert first.validator == validator
        with files.open(url, start=1, validator=first.validator) as second:
            assert b"".join(second.chunks) == b"ok"
    assert asked[1].headers.get("range") == ("bytes=1-" if validator else None)
    assert asked[1].headers.get("if-range") == validator
