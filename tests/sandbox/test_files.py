"""Pictures and videos that are real."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.models.media import Media, is_whole, recognise
from flux_cli.sandbox.server import Sandbox
from tests.sandbox.client import (
    fetch,
    finish,
    retrieve,
    submit,
)
from tests.support.browser import browse


def outputs(server: Sandbox, task_id: str) -> list[str]:
    """Return the URLs of what a finished task has made."""
    data = retrieve(server, task_id)["response"]["data"]
    return [output.get("image_url") or output["video_url"] for output in data]


@pytest.mark.parametrize(
    ("path", "prompt", "media"),
    [
        ("/flux/images", "a fox", Media.PNG),
        ("/flux/videos", "a boat", Media.MP4),
        ("/flux/videos", "a boat as webm", Media.WEBM),
    ],
)
def test_files_are_whole_and_each_is_another(
    served: Callable[..., Sandbox], path: str, prompt: str, media: Media
) -> None:
    server = served()
    ids = [submit(server, path, prompt=prompt) for _ in range(3)]
    finish()
    files = [fetch(server, url) for task_id in ids for url in outputs(server, task_id)]
    kind = "image/png" if media is Media.PNG else f"video/{media}"
    assert {content_type for content_type, _ in files} == {kind}
    assert len({data for _, data in files}) == 3
    for _, data in files:
        assert recognise(data[:64]) is media
        assert is_whole(io.BytesIO(data), media, len(data))
        assert not is_whole(io.BytesIO(data), media, len(data) // 2)
        assert len(data) < 100_000


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Return width, height and indexes of a PNG as the sandbox makes it, its sums checked."""
    position, parts = 8, {}
    while position < len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        data = png[position + 8 : position + 8 + length]
        [checksum] = struct.unpack_from(">I", png, position + 8 + length)
        assert zlib.crc32(kind + data) == checksum
        parts[kind] = data
        position += 12 + length
    width, height, depth, colours = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, colours, len(parts[b"PLTE"])) == (8, 3, 768)
    rows = zlib.decompress(parts[b"IDAT"])
    assert len(rows) == height * (width + 1)
    return width, height, rows


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("1:1", (512, 512)),
        ("16:9", (688, 384)),
        ("9:16", (384, 688)),
        ("21:9", (784, 336)),
        ("9:21", (336, 784)),
        ("1024x1792", (1024, 1792)),
    ],
)
def test_pictures_have_the_size_that_was_asked_for(
    served: Callable[..., Sandbox], size: str, expected: tuple[int, int]
) -> None:
    server = served()
    task_id = submit(server, size=size)
    finish()
    [url] = outputs(server, task_id)
    _, png = fetch(server, url)
    width, height, rows = pixels(png)
    assert (width, height) == expected
    assert len(set(rows)) > 60  # something to look at
    assert fetch(server, url)[1] == png


def test_a_prompt_decides_the_colours(served: Callable[..., Sandbox]) -> None:
    server = served()
    ids = [submit(server, prompt=f"a {colour} fox") for colour in ("red", "green", "blue")]
    finish()
    for strongest, task_id in enumerate(ids):
        _, png = fetch(server, outputs(server, task_id)[0])
        palette = png[png.index(b"PLTE") + 4 :][:288]  # of the sky
        sums = [sum(palette[channel::3]) for channel in range(3)]
        assert sums[strongest] == max(sums)


def test_a_browser_shows_pictures_and_plays_videos(
    served: Callable[..., Sandbox], tmp_path: Path
) -> None:
    server = served()
    ids = [
        submit(server),
        submit(server, "/flux/videos"),
        submit(server, "/flux/videos", prompt="webm"),
    ]
    finish()
    picture, *videos = (outputs(server, task_id)[0] for task_id in ids)
    players = "".join(f'<video muted autoplay src="{url}"></video>' for url in videos)
    (tmp_path / "page.html").write_text(f'<img src="{picture}">{players}')
    with browse(tmp_path / "page.html") as view:
        view.page.wait_for_function(
            "[...document.querySelectorAll('video')].every(video => video.currentTime > 0.5)",
            timeout=120_000,
        )
        assert view.page.evaluate(
            "[...document.querySelectorAll('video')].map(v => [v.videoWidth, v.videoHeight])"
        ) == [[320, 176], [320, 176]]
        assert view.page.evaluate("document.querySelector('img').naturalWidth") == 512
