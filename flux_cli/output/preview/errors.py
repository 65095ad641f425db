"""Why a picture is not drawn."""


class NoPicture(Exception):
    """`reason` is a clause that follows "no preview: "."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NeedsPillow(NoPicture):
    """It would have to be decoded, and what does that is not installed."""

    def __init__(self) -> None:
        super().__init__("decoding it needs Pillow")
