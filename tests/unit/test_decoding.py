"""The bodies of replies: decoded, within a cap, whatever was sent."""

import gzip
import tracemalloc

import pytest

from flux_cli.api.decoding import BodyCut, BodyTooLarge, UnknownEncoding, read_body


BODY = b'{"items": [], "count": 0}' * 100


@pytest.mark.parametrize("step", [1, 10, 100_000])
@pytest.mark.parametrize("encoding", ["", "identity", "gzip"])
def test_a_body_is_whole_however_it_is_cut(encoding: str, step: int) -> None:
    sent = gzip.compress(BODY) if encoding == "gzip" else BODY
    chunks = [sent[start : start + step] for start in range(0, len(sent), step)]
    assert read_body(chunks, encoding, max_bytes=len(BODY)) == BODY
    with pytest.raises(BodyTooLarge):
        read_body(chunks, encoding, max_bytes=len(BODY) - 1)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * 1024**2))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            read_body([bomb], "gzip", max_bytes=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "sent", [b"", gzip.compress(BODY, mtime=0)[:-9], b"not gzip at all", b"\x1f\x8b"]
)
def test_what_is_not_all_of_it_is_no_body(sent: bytes) -> None:
    with pytest.raises(BodyCut):
        read_body([sent], "gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_nothing_is_guessed_about_other_encodings(encoding: str) -> None:
    with pytest.raises(UnknownEncoding):
        read_body([BODY], encoding)
