"""How much the server does at once, and how long a call may take: what it promises to clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. Most clients give a call up after 60."""

    looks: int = 40  # under way at the same time; more wait for their turn
    waits: int = 40  # under way at the same time; more are refused
    look_seconds: float = 50.0  # in which every call but a wait has an answer
    default_wait: float = 45.0
    longest_wait: float = 3600.0
    grace: float = 3.0  # beyond what was promised, for what cannot be stopped at once
    progress_interval: float = 2.0


LIMITS = Limits()
