"""Inline images of iTerm2: the file as it is, of any format.

https://iterm2.com/documentation-images.html
"""

import base64


def draw(data: bytes, columns: int, lines: int) -> bytes:
    """Return what shows the picture in `data` scaled to `columns` times `lines` cells."""
    keys = f"inline=1;size={len(data)};width={columns};height={lines};preserveAspectRatio=1"
    return b"\x1b]1337;File=%b:%b\x07" % (keys.encode(), base64.b64encode(data))
