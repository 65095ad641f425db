"""What a watch waits for."""

from enum import Enum


class Until(Enum):
    """When a watch has seen enough, beside `--timeout`."""

    ALL = "all"
    ANY = "any"
