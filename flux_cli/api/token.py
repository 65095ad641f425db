"""The API token: held so that it cannot be printed by accident."""

import re


_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, section 2.1
_MAX_LENGTH = 4096
_SHORTEST_SECRET = 8  # characters; a shorter "token" would hide half of every text


class Token:
    """A bearer token whose text only `reveal` gives away."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Raise ValueError, without quoting `text`, when it cannot be a bearer token."""
        if not text:
            raise ValueError("is empty")
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"is {len(text):,} characters long")
        if not _B64TOKEN.fullmatch(text):
            raise ValueError("has a character that no token has (a space, a quote, a line break?)")
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself: for the header, the credential store and `auth token`."""
        return self.__text

    def is_in(self, text: str) -> bool:
        """Tell whether `text` is the token, however it is capitalised."""
        return text.lower() == self.__text.lower()

    def hide(self, text: str) -> str:
        """Return `text` with the token, however it is capitalised, replaced by `[token]`."""
        if len(self.__text) < _SHORTEST_SECRET:
            return text
        return re.sub(re.escape(self.__text), "[token]", text, flags=re.IGNORECASE)

    def hide_bytes(self, data: bytes) -> bytes:
        """Return `data` with the token replaced by `[token]`."""
        secret = self.__text.encode("ascii")
        if len(secret) < _SHORTEST_SECRET or secret not in data:
            return data
        return data.replace(secret, b"[token]")

    def __repr__(self) -> str:
        return "Token(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not to be copied or stored by accident")
