"""The API token: held so that it cannot be printed by accident."""

import re
from typing import Any


_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, section 2.1
_MAX_LENGTH = 4096
_MASK = "[token]"
# The characters of a b64token in hexadecimal; a JSON escape of one of them is rare.
_CODE = "(?:2[bdef]|3[0-9d]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])"
_ESCAPE = re.compile(rf"\\u00{_CODE}|\\/", re.IGNORECASE)
_ESCAPE_BYTES = re.compile(rf"\\u00{_CODE}".encode())  # in lower case
_ESCAPES_BYTES = re.compile(rf"(?<!\\)\\+(?:u00({_CODE})|(/))".encode())  # of any depth
_SHORTEST_SECRET = 8  # characters; a shorter "token" would hide half of every text


class Token:
    """A bearer token whose text only `reveal` gives away."""

    __slots__ = ("__pattern", "__text")

    def __init__(self, text: str) -> None:
        """Raise ValueError, without quoting `text`, when it cannot be a bearer token."""
        if not text:
            raise ValueError("is empty")
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"is {len(text):,} characters long")
        if not _B64TOKEN.fullmatch(text):
            raise ValueError(
                "contains a character that no token has (a space, a quote, a line break?)"
            )
        self.__text = text
        self.__pattern: re.Pattern[str] | None = None

    def reveal(self) -> str:
        """Return the text itself: for the header, the credential store and `auth token`."""
        return self.__text

    def is_in(self, text: str) -> bool:
        """Tell whether `text` is the token, however it is capitalised."""
        return text.lower() == self.__text.lower()

    def hide(self, text: str) -> str:
        """Return `text` with the token replaced by `[token]`.

        However it is capitalised, and also where some of it is spelled in JSON escapes.
        """
        if self.__is_short:
            return text
        text = re.sub(re.escape(self.__text), _MASK, text, flags=re.IGNORECASE)
        if not _ESCAPE.search(text):
            return text
        return self.__in_escapes().sub(_MASK, text)

    def hide_bytes(self, data: bytes) -> bytes:
        """Return `data` with the token, however it is capitalised, replaced by `[token]`."""
        secret = self.__text.encode("ascii")
        if self.__is_short or secret.lower() not in data.lower():
            return data
        return re.sub(re.escape(secret), _MASK.encode(), data, flags=re.IGNORECASE)

    def may_be_in(self, body: bytes) -> bool:
        """Tell whether JSON may hold the token once it is decoded; cheap where it does not."""
        if self.__is_short:
            return False
        if b"\0" in body:
            return True  # UTF-16 or UTF-32
        lower, secret = body.lower(), self.__text.lower().encode("ascii")
        if secret in lower:
            return True
        if not _ESCAPE_BYTES.search(lower) and not (b"/" in secret and b"\\/" in lower):
            return False
        return secret in _ESCAPES_BYTES.sub(_unescaped, lower).lower()

    def hide_in(self, value: Any) -> Any:
        """Return what JSON was decoded to with the token hidden in every string and key.

        Raises RecursionError where it is nested too deeply.
        """
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(key): self.hide_in(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.hide_in(entry) for entry in value]
        return value

    @property
    def __is_short(self) -> bool:
        return len(self.__text) < _SHORTEST_SECRET

    def __in_escapes(self) -> re.Pattern[str]:
        if self.__pattern is None:
            self.__pattern = re.compile("".join(map(_any_spelling, self.__text)), re.IGNORECASE)
        return self.__pattern

    def __repr__(self) -> str:
        return "Token(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not to be copied or stored by accident")


def _unescaped(match: re.Match[bytes]) -> bytes:
    return match[2] or bytes.fromhex(match[1].decode())


def _any_spelling(character: str) -> str:
    """Return a pattern for `character` as it stands or escaped, in JSON or in JSON within it."""
    codes = "|".join(f"{ord(case):02x}" for case in {character.lower(), character.upper()})
    slash = "/|" if character == "/" else ""
    return rf"(?:{re.escape(character)}|(?<!\\)\\+(?:{slash}u00(?:{codes})))"
