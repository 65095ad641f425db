"""The kitty graphics protocol: a PNG as it is, in pieces.

https://sw.kovidgoyal.net/kitty/graphics-protocol/
"""

import base64


_PIECE = 4096  # characters of one escape sequence
_QUERY_ID = 31
QUERY = f"\x1b_Gi={_QUERY_ID},s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\".encode()
ANSWER = f"\x1b_Gi={_QUERY_ID};OK\x1b\\".encode()


def draw(png: bytes, columns: int, lines: int) -> bytes:
    """Return what shows `png` scaled to `columns` times `lines` cells.

    The terminal is told not to answer: nobody would read it (q=2).
    """
    text = base64.b64encode(png)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    sent = []
    for number, piece in enumerate(pieces):
        more = int(number < len(pieces) - 1)
        keys = f"a=T,f=100,q=2,c={columns},r={lines},m={more}" if not number else f"q=2,m={more}"
        sent.append(b"\x1b_G%b;%b\x1b\\" % (keys.encode(), piece))
    return b"".join(sent)
