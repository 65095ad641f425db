"""Videos: a small clip in two formats, told apart by the name of the file that is in it."""

import struct
from pathlib import Path


# A pan over a picture of `make_png`, 700x176 pixels, encoded with ffmpeg (libx264, libvpx).
WIDTH, HEIGHT, FPS, FRAMES = 320, 176, 24, 121
SECONDS = round(FRAMES / FPS, 6)


def make_clip(file: str) -> bytes:
    """Return the video called `file`, an MP4 or WebM file; its name makes it differ from others."""
    extension = file.rpartition(".")[2]
    clip = Path(__file__).with_name(f"clip.{extension}").read_bytes()
    return clip + _unused(extension, file.encode())


def _unused(extension: str, data: bytes) -> bytes:
    """Return `data` as something that players of the format skip."""
    if extension == "mp4":
        return struct.pack(">I", 8 + len(data)) + b"free" + data
    return b"\xec" + struct.pack(">Q", 1 << 56 | len(data)) + data  # Void, in EBML
