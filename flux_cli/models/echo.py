"""What somebody gave, as a message shows it: on one line, and not too long."""

import json
from typing import Any


_LONGEST = 40  # characters of a value that are shown


def shortened(text: str, longest: int) -> str:
    """Return `text` on one line, what is not seen as an escape, with a mark where it is cut."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 2 * longest])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def shown(value: Any) -> str:
    """Return a piece of text in quotation marks, and of any other JSON value its JSON."""
    if isinstance(value, str):
        return f'"{shortened(value, _LONGEST)}"'
    return shortened(json.dumps(value, ensure_ascii=False), _LONGEST)
