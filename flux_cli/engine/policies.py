"""What a user can decide about asking, watching and saving; each default stands here alone.

Loads nothing, so that a help text can be made of it at once.
"""

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(eq=False, repr=False)
class ServiceSettings:
    """Which service is asked, with which account, and how; times in seconds.

    None stands for what the environment or the user's files say.
    """

    concurrency: int = 8
    batch_size: int = 50
    request_timeout: float = 30.0
    retries: int = 3
    profile: str | None = None
    base_url: str | None = None
    debug: bool = False


class Until(Enum):
    """When a watch has seen enough, beside `--timeout`."""

    ALL = "all"
    ANY = "any"


@dataclass(eq=False, repr=False)
class WatchPolicy:
    """When to poll, and when to end; all in seconds, `timeout` None for no end."""

    interval: float = 5.0
    max_interval: float = 30.0  # where `interval` is longer, it is this too
    timeout: float | None = None
    until: Until = Until.ALL
    fail_fast: bool = False
    not_found_grace: float = 60.0
    give_up_after: float = 300.0

    @property
    def patience(self) -> float:
        """The longest silence within a poll; without any patience, one is made to its end."""
        return self.give_up_after or math.inf


@dataclass(eq=False, repr=False)
class SubmitPolicy:
    """How fast prompts are submitted, `rate` a second, and which are once more."""

    rate: float = 1.0
    retry_refused: bool = False
    resend_unconfirmed: bool = False


@dataclass(eq=False, repr=False)
class DownloadPolicy:
    """How files are named, and what is allowed: `max_size` in bytes, `file_timeout` in seconds.

    `name` is what `models.file_names.NameTemplate` reads; `archive` remembers what was saved.
    """

    name: str = "{id}_{n}.{ext}"
    overwrite: bool = False
    max_size: int = 200_000_000
    file_timeout: float = 1800.0
    archive: Path | None = None
