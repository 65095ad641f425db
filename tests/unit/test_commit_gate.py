"""What is inside when the gate closes is done; nothing gets in afterwards."""

import threading

import pytest

from flux_cli.api.throttle import Stopped
from flux_cli.engine.commit_gate import CommitGate


def test_closing_waits_for_whoever_is_inside() -> None:
    gate = CommitGate()
    events: list[str] = []
    is_inside, may_leave, is_closed = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with gate:
            is_inside.set()
            may_leave.wait(60)
            events.append("done")

    def close() -> None:
        gate.close()
        events.append("closed")
        is_closed.set()

    threads = [threading.Thread(target=work), threading.Thread(target=close)]
    threads[0].start()
    assert is_inside.wait(60)
    threads[1].start()
    assert not is_closed.wait(0.05)
    may_leave.set()
    for thread in threads:
        thread.join(60)
    assert events == ["done", "closed"]


def test_nobody_gets_through_a_closed_gate() -> None:
    gate = CommitGate()
    with gate:
        pass
    gate.close()
    with pytest.raises(Stopped), gate:
        pytest.fail("it is closed")
    gate.close()  # twice does no harm


def test_a_block_that_fails_is_over_too() -> None:
    gate = CommitGate()
    with pytest.raises(ValueError, match="no"), gate:
        raise ValueError("no")
    gate.close()
