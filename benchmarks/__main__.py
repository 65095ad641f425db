"""Runs every case in turn with its rivals and writes docs/performance.md: `make bench`."""

import json
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import peers
from benchmarks.cases import Case, Rival, Setup, cpu, files, large, make_ids, small
from benchmarks.measure import Figure, in_turn, ratio
from flux_cli import __version__


PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"
LATENCIES = (0.0, 0.02, 0.1)


@contextmanager
def service(**options: float) -> Iterator[str]:
    """Run the service in a process of its own and yield its base URL."""
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.server", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def timed(case: Case) -> tuple[list[str], Figure]:
    """Run a case and return its rows of the table, and its own figure."""
    figure, *others = in_turn(
        [case.command, *(rival.command for rival in case.rivals)], runs=case.runs
    )
    rows = [
        row(case, rival, figure, other) for rival, other in zip(case.rivals, others, strict=True)
    ]
    if note := case.note(figure):
        rows.append(f"| {case.name} | {seconds(figure.wall)} | ideal | | {note} | |")
    return rows, figure


def row(case: Case, rival: Rival, figure: Figure, other: Figure) -> str:
    value = ratio(figure, other, case.what) / rival.scale
    theirs = other.median(case.what) * rival.scale
    ours = figure.median(case.what)
    goal = "" if rival.goal is None else f"at most {rival.goal:g}"
    scaled = f" (a {1 / rival.scale:g} of the work, scaled)" if rival.scale != 1 else ""
    return (
        f"| {case.name} | {seconds(ours)} | {rival.name}{scaled} | {seconds(theirs)}"
        f" | **{value:.3g}** | {goal} |"
    )


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def processor(setup: Setup) -> Case:
    """Return the case that counts seconds of processor instead of time."""
    ids = setup.ids(10_000)
    return Case(
        "10,000 ids as JSON lines, processor time",
        setup.flux("tasks", "check", stdin=ids),
        [Rival("bare decode and encode", setup.floor("decode", stdin=ids), 0.8 / 0.3)],
        what=cpu,
    )


def memory(setup: Setup) -> list[str]:
    """Return a row for each number of ids: the peak, and what an id costs."""
    rows, base = [], 0.0
    for count, runs in ((10_000, 3), (100_000, 3), (1_000_000, 1)):
        command = setup.flux("tasks", "check", "-o", "jsonl", "-f", str(setup.ids(count)))
        (figure,) = in_turn([command], runs=runs, warm_up=0)
        base = base or figure.peak
        each = f"{(figure.peak - base) / (count - 10_000):.0f} bytes" if count > 10_000 else ""
        rows.append(f"| {count:,} | {figure.peak / 1e6:.0f} MB | {each} | {seconds(figure.wall)} |")
    return rows


def watched(folder: Path, program: Path) -> str:
    """Watch 1,000 tasks to their end; return the requests made and the least possible."""
    looks = 4
    with service(looks=looks) as url:
        setup = Setup(url, folder, program, {})
        arguments = ("tasks", "watch", "--interval", "1s", "-o", "ids", "-f", str(setup.ids(1000)))
        started = time.perf_counter()
        in_turn([setup.flux(*arguments)], runs=1, warm_up=0)
        took = time.perf_counter() - started
        with urllib.request.urlopen(f"{url}/stats") as answer:  # noqa: S310 - http on loopback
            requests = json.load(answer)["requests"]
    open_at = [sum(int(i[:8], 16) % looks >= look for i in make_ids(1000)) for look in range(looks)]
    least = sum(-(-count // 50) for count in open_at)
    return (
        f"1,000 tasks that finish at the first to the fourth look: {requests} requests,"
        f" and ⌈open/50⌉ summed over the looks is {least} ({took:.1f} s)."
    )


def main() -> None:
    """Measure everything, print it, and write the page."""
    started = time.monotonic()
    installed = {name: peers.install(name) for name in peers.NAMES}
    head = (
        "| case | flux | compared with | takes | flux / theirs | goal |\n|---|---|---|---|---|---|"
    )
    program = peers.install_flux()
    tables = [head]
    start_up = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service() as url:
            setup = Setup(url, folder, program, installed)
            for case in [*small(setup), processor(setup), files(setup)]:
                rows, figure = timed(case)
                start_up = figure.wall if "1 id," in case.name else start_up
                show(tables, rows)
        for latency in LATENCIES:
            with service(latency=latency) as url:
                setup = Setup(url, folder, program, installed)
                for case in large(setup, latency, start_up):
                    show(tables, timed(case)[0])
        show(
            tables,
            ["", "| ids from a file | peak memory | each further id | time |", "|---|---|---|---|"],
        )
        with service() as url:
            show(tables, memory(Setup(url, folder, program, installed)))
        show(tables, ["", watched(folder, program)])
    versions = ", ".join(f"{peer.name} {peer.version}" for peer in installed.values())
    stamp = (
        f"Measured {time.strftime('%Y-%m-%d')}: flux {__version__}, {versions};"
        f" Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n"
    )
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = "\n".join(tables)
    PAGE.write_text(f"{before}{BEGIN}{stamp}\n{figures}\n{END}{after}")
    print(f"{time.monotonic() - started:.0f} s in all")  # noqa: T201


def show(tables: list[str], rows: list[str]) -> None:
    """Add rows, and print them."""
    tables += rows
    print("\n".join(rows), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
