"""Which file descriptors are ready, on any system."""

import select
import sys


def ready(descriptor: int, alarms: list[int], timeout: float | None, *, writes: bool) -> set[int]:
    """Wait for `descriptor` or an alarm, and return those that are ready.

    `timeout` is in seconds, None for no end. Raises OSError and ValueError
    where the system cannot wait for the descriptor.
    """
    if sys.platform != "linux":  # elsewhere poll does not know terminals
        readers, writers = (alarms, [descriptor]) if writes else ([descriptor, *alarms], [])
        readable, writable, _ = select.select(readers, writers, [], timeout)
        return {*readable, *writable}
    poll = select.poll()  # unlike select, it takes descriptors of any number
    poll.register(descriptor, select.POLLOUT if writes else select.POLLIN)
    for alarm in alarms:
        poll.register(alarm, select.POLLIN)
    events = poll.poll(None if timeout is None else timeout * 1000)
    if any(event & select.POLLNVAL for _, event in events):
        raise OSError("not open")
    return {number for number, _ in events}
