"""Reads one file into memory: for what is looked at once, and not kept."""

import time
from collections.abc import Callable

from flux_cli.engine.fetch import OpenFile
from flux_cli.engine.hosts import Hosts
from flux_cli.errors import ConnectionFault, DownloadError


def read_file(
    open_file: OpenFile,
    hosts: Hosts,
    url: str,
    *,
    max_size: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Return what is at `url`, at most `max_size` bytes in `seconds`, within its host's budget.

    Raises DownloadError, ServiceError, and Stopped.
    """
    end = clock() + seconds

    def exchange() -> bytes:
        data = bytearray()
        with open_file(url) as reply:
            for chunk in reply.chunks:
                data += chunk
                if len(data) > max_size:
                    raise DownloadError(f"it is larger than {max_size:,} bytes", code="too_large")
                if clock() > end:
                    raise DownloadError(f"it took longer than {seconds:g} seconds", code="too_slow")
            if reply.total not in (None, len(data)):
                raise ConnectionFault("the file was cut short", code="reply_cut")
        return bytes(data)

    return hosts.budget(url).send(exchange)
