"""Runs every case in turn with its rivals and writes docs/performance.md: `make bench`.

`python -m benchmarks WORD` runs only the cases with WORD in their name, and writes nothing.
"""

import json
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import agents, peers
from benchmarks.cases import (
    Case,
    Rival,
    files,
    large,
    large_secure,
    processor,
    secure,
    small,
)
from benchmarks.certificates import Certificates
from benchmarks.measure import Figure, difference, in_turn, ratio
from benchmarks.memory import memory
from benchmarks.setup import Setup, make_ids
from benchmarks.submitting import submitted
from flux_cli import __version__


PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"
LATENCIES = (0.0, 0.02, 0.1)
SLIP = 1.1  # times what the page says


@contextmanager
def service(**options: float | Path) -> Iterator[str]:
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


class Report:
    """The rows of the page, shown as they come, and what is worse than on the page there is."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.lines: list[str] = []
        self.slipped: list[str] = []

    def add(self, *lines: str) -> None:
        self.lines += lines
        print("\n".join(lines), flush=True)  # noqa: T201

    def run(self, case: Case) -> Figure:
        """Run a case, add its rows, and return its own figure."""
        commands = [case.command, *(rival.command for rival in case.rivals)]
        figure, *others = in_turn(commands, runs=case.runs)
        for rival, other in zip(case.rivals, others, strict=True):
            self._add_rival(case, rival, figure, other)
        if note := case.note(figure):
            self.add(f"| {case.name} | {seconds(figure.wall)} | ideal | | {note} | |")
        return figure

    def _add_rival(self, case: Case, rival: Rival, figure: Figure, other: Figure) -> None:
        start = f"| {case.name} | {seconds(figure.median(case.what))} | {rival.name}"
        theirs = seconds(other.median(case.what) * rival.scale)
        if rival.is_difference:
            more = difference(figure, other, case.what)
            goal = f"at most {seconds(rival.goal)} more" if rival.goal else ""
            self.add(f"{start} | {theirs} | **{seconds(more)} more** | {goal} |")
            return
        value = ratio(figure, other, case.what) / rival.scale
        goal = "" if rival.goal is None else f"at most {rival.goal:g}"
        scaled = f" ({1 / rival.scale:.0%} of the work, scaled up)" if rival.scale != 1 else ""
        self.add(f"{start}{scaled} | {theirs} | **{value:.3g}** | {goal} |")
        before = self._ratio_before(case, rival)
        if rival.may_not_slip and before is not None and value > SLIP * before:
            self.slipped.append(f"{case.name}: {value:.3g} of {rival.name}, was {before:.3g}")

    def _ratio_before(self, case: Case, rival: Rival) -> float | None:
        for line in self._page.splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if cells[1:2] == [case.name] and rival.name in cells[3:4]:
                found = re.search(r"\*\*([0-9.]+)\*\*", line)
                return float(found[1]) if found else None
        return None


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


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
        f"1,000 tasks that finish by the first to the fourth poll: {requests} requests;"
        f" ⌈open/50⌉ summed over the polls is {least} ({took:.1f} s)."
    )


def run_all(report: Report, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Run every case whose name is wanted."""
    installed = {name: peers.install(name) for name in peers.NAMES}
    program = peers.install_flux()
    certificates = Certificates.make(folder)

    def run(cases: Iterable[Case]) -> dict[str, Figure]:
        return {case.name: report.run(case) for case in cases if wanted(case.name)}

    versions = ", ".join(f"{peer.name} {peer.version}" for peer in installed.values())
    report.add(
        f"Measured {time.strftime('%Y-%m-%d')}: flux {__version__}, {versions};"
        f" Python {platform.python_version()}, {platform.system()} {platform.machine()}.",
        "",
        "| case | flux | compared with | takes | flux / theirs | goal |",
        "|---|---|---|---|---|---|",
    )
    with service() as url, service(certificate=certificates.service) as secure_url:
        plain = Setup(url, folder, program, installed)
        over_tls = Setup(secure_url, folder, program, installed, certificates)
        figures = run([*small(plain), secure(over_tls, plain), processor(plain)])
        run([files(plain)])
        run([files(over_tls)])
    start_up = next((figures[name].wall for name in figures if "1 id," in name), 0.0)
    for latency in LATENCIES:
        with service(latency=latency) as url:
            run(large(Setup(url, folder, program, installed), latency, start_up))
    with service(latency=LATENCIES[-1], certificate=certificates.service) as url:
        over_tls = Setup(url, folder, program, installed, certificates)
        run([large_secure(over_tls, LATENCIES[-1], start_up)])
    if wanted("memory"):
        report.add(
            "",
            "| ids from a file | peak, 10,000 | peak, 60,000 | each further id | goal |",
            "|---|---|---|---|---|",
        )
        with service() as url:
            for row in memory(Setup(url, folder, program, installed)):
                report.add(row)
    if wanted("submitting"):
        report.add("", "| submitting 10,000 prompts | | goal |", "|---|---|---|")
        for row in submitted(folder, program):
            report.add(row)
    if wanted("watch"):
        report.add("", watched(folder, program))
    if wanted("agents"):
        with service() as url:
            environment = Setup(url, folder, program, installed).environment
            here = Path(sys.executable).with_name("flux")  # which has the extra
            rows = agents.table(installed["mcp-flux-pro"], here, environment)
        print("\n".join(rows), flush=True)  # noqa: T201
        write(agents.PAGE, rows)


def write(page: Path, lines: Iterable[str]) -> None:
    """Put `lines` where the figures of a page stand."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}{chr(10).join(lines)}\n{END}{after}")


def main() -> None:
    """Measure, print it, and write the page when it is whole and nothing has slipped."""
    started = time.monotonic()
    page = PAGE.read_text()
    words = sys.argv[1:]
    report = Report(page)
    with tempfile.TemporaryDirectory() as name:
        run_all(report, Path(name), lambda case: not words or any(w in case for w in words))
    if report.slipped:
        sys.exit("\n".join(["slower by more than a tenth; the page stays:", *report.slipped]))
    if not words:
        write(PAGE, report.lines)
    print(f"{time.monotonic() - started:.0f} s in all")  # noqa: T201


if __name__ == "__main__":
    main()
