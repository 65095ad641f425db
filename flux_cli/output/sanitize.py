"""Text from the service, made safe to show: it moves nothing, and colours nothing."""

import re
import urllib.parse


# What a terminal could act on, or what changes the order or look of other text:
# C0 and C1 controls, DEL, soft hyphen, direction marks and overrides, line and
# paragraph separators, invisible operators, surrogates, byte order mark,
# interlinear annotation, tags. Joiners stay: emoji are made with them.
_UNSAFE = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_BREAKS = re.compile(r"[^\S ]+")
_CONTROLS = re.compile(f"[{_UNSAFE}]")
_URL_CHARACTERS = "%:/?#[]@!$&()*+,;=~"
REPLACEMENT = "\ufffd"


def sanitize(text: str) -> str:
    """Return `text` on one line, with every unsafe character replaced by U+FFFD.

    Line breaks and tabs become spaces. Doing it twice changes nothing.
    """
    return _CONTROLS.sub(REPLACEMENT, _BREAKS.sub(" ", text))


def one_line(text: str, limit: int) -> str:
    """Return `text` safe, without runs of spaces, and cut to `limit` characters."""
    text = sanitize(" ".join(text[: 4 * limit].split()))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def escape_json(line: str) -> str:
    """Return JSON text with unsafe characters written as JSON escapes: the same value."""
    if line.isascii() and "\x7f" not in line:
        return line  # the serialiser has escaped the rest
    return _CONTROLS.sub(_escaped, line)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:  # noqa: PLR2004
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def web_url(url: str) -> str | None:
    """Return `url` in a spelling that is safe to print, link and open; None unless http(s).

    Whatever does not belong into a URL is percent-encoded.
    """
    if not url.lower().startswith(("https://", "http://")):
        return None
    return urllib.parse.quote(url, safe=_URL_CHARACTERS, errors="replace")
