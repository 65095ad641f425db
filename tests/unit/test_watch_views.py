"""A print at the end, with a line of progress now and then."""

import io
from functools import partial
from pathlib import Path

from flux_cli.commands.hook_input import as_variable
from flux_cli.commands.options import OutputOptions
from flux_cli.commands.watch_views import PrintView
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.hooks import Hooks
from flux_cli.engine.watch import Polled
from flux_cli.errors import ConnectionFault
from flux_cli.models.ids import TaskIds
from flux_cli.models.task import parse_task
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.runtime import Runtime
from tests.support.records import finished, make_ids


def test_a_line_of_progress_at_most_every_30_seconds() -> None:
    time = [0.0]
    stderr = io.StringIO()
    runtime = Runtime({}, None, Stdout(None, {}), Stderr(stderr, {}), clock=lambda: time[0])
    ids = TaskIds()
    for task_id in make_ids(1000):
        ids.add(task_id)
    output = OutputOptions()
    view = PrintView(
        runtime, ids, output, partial(output.make_writer, runtime, None), shows_progress=True
    )
    told: list[float] = []
    for second in range(121):
        time[0] = float(second)
        before = stderr.getvalue()
        view.polled(Polled(1.0, None))
        if stderr.getvalue() != before:
            told.append(second)
        view.changed(parse_task(f"id-{second}", finished("x"), 0.0))
    assert told == [30, 60, 90, 120]
    assert stderr.getvalue().startswith("flux: 30 of 1,000 tasks done.\n")
    time[0] = 200.0
    view.polled(Polled(1.0, ConnectionFault("cut", code="reply_cut")))
    assert stderr.getvalue().endswith("flux: 121 of 1,000 tasks done. cut.\n")
    view.close()


def test_what_a_command_prints_is_said_and_how_it_failed_is_kept(tmp_path: Path) -> None:
    said: list[str] = []
    environment = {"PATH": "/usr/bin:/bin", "PWD": str(tmp_path)}
    loop = EventLoop()
    hooks = Hooks(
        'read line; echo "$X $line"; kill -9 $$',
        lambda _: (b"record\n", {"X": as_variable("v\0\ud800")}),
        loop=loop,
        environment=environment,
        say=said.append,
    )
    hooks.start(parse_task("a", finished("a"), 0.0))
    loop.run_while(lambda: not hooks.is_idle)
    assert said == ["v? record"]
    assert hooks.failures == ["a: the command was ended by signal 9"]
