"""What can go wrong with a submission, and what is then paid: each row of the table is a test."""

import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from flux_cli.errors import ExitCode
from tests.support.fault_server import End, FaultServer, reply
from tests.support.needs import need
from tests.support.patience import until
from tests.support.program import CANARY, FLUX, Background, Program, Run
from tests.support.submission_service import (
    Service,
    Way,
    held,
    late,
    lost,
    lost_in_a_gateway,
    refused,
    taken,
    unheard,
)
from tests.support.terminal import Terminal


PAGE = (Path(__file__).parents[2] / "docs" / "submit.md").read_text()
GENERATE = ("images", "generate", "--rate", "1000/s", "--concurrency", "1")
SUBMIT = " ".join([FLUX, *GENERATE, "-f", "prompts.txt"])  # in a shell
PROMPTS = ("a red fox", "a blue owl", "a green frog")


class Row(NamedTuple):
    """A row of the table."""

    happens: str
    does: str
    paid: str


def rows() -> dict[str, Row]:
    """Return the rows of all tables about what can go wrong, by what happens."""
    section = PAGE.partition("\n## What can go wrong")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {row[0]: Row(*row) for row in cells if row[0] != "what happens"}


ROWS = rows()


@dataclass
class Bench:
    """flux, a service, and a file of three prompts; `wanted` are those that are to be paid."""

    flux: Program
    stack: ExitStack
    service: Service = field(default_factory=Service)
    wanted: tuple[str, ...] = PROMPTS

    def __post_init__(self) -> None:
        self.write(*PROMPTS)
        self.journal = self.flux.folder / "journal"
        self.flux.environment["FLUX_JOURNAL"] = str(self.journal)

    def write(self, *lines: str, name: str = "prompts.txt") -> None:
        """Write the file of prompts."""
        (self.flux.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def serve(self, *ways: Way, lists: bool = True, ahead: float = 0.0) -> FaultServer:
        """Start the service."""
        self.service = Service(*ways, lists=lists, ahead=ahead)
        server = self.stack.enter_context(FaultServer(self.service))
        self.flux.environment["FLUX_API_BASE_URL"] = server.url
        return server

    def run(self, *words: str, file: str = "prompts.txt", **variables: str | None) -> Run:
        """Submit the prompts in a file."""
        return self.flux(*GENERATE, "-f", file, *words, variables=variables)

    def say(self, *words: str) -> Run:
        """Run with these arguments alone."""
        return self.flux(*GENERATE, *words)

    def start(self, *words: str) -> Background:
        """Start to submit the prompts in the file."""
        return self.stack.enter_context(self.flux.start(*GENERATE, "-f", "prompts.txt", *words))

    def let_a_minute_pass(self) -> None:
        """Let the journal say that all was sent a minute earlier."""
        with closing(sqlite3.connect(self.journal)) as database, database:
            database.execute("UPDATE submissions SET sent_at = sent_at - 60")


@pytest.fixture
def bench(flux: Program) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(flux, stack)


def in_bash(bench: Bench, command: str) -> "subprocess.CompletedProcess[str]":
    """Run `command` where the prompts are."""
    return subprocess.run(
        ["bash", "-c", command],
        env=bench.flux.variables({}),
        cwd=bench.flux.folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
    )


Case = Callable[[Bench], None]
CASES: dict[str, Case] = {}


def row(happens: str) -> Callable[[Case], Case]:
    """Register the test of a row."""

    def register(case: Case) -> Case:
        assert happens not in CASES
        CASES[happens] = case
        return case

    return register


def is_paid(paid: str, counts: Counter[str], wanted: tuple[str, ...]) -> bool:
    """Tell whether what the last column says is what the service has taken."""
    match paid:
        case "nothing":
            return not counts
        case "once":
            return counts == dict.fromkeys(wanted, 1)
        case "the others once":
            return counts == dict.fromkeys(wanted[1:], 1)
        case "at most once":
            return set(counts) <= set(wanted) and max(counts.values()) == 1
        case "again":
            return set(counts) == set(wanted) and max(counts.values()) == 2
    return False


@pytest.mark.parametrize("happens", ROWS)
def test_what_the_table_says(bench: Bench, happens: str) -> None:
    CASES[happens](bench)
    counts = bench.service.counts
    assert is_paid(ROWS[happens].paid, counts, bench.wanted), counts


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    assert set(CASES) == set(ROWS)
    assert len(ROWS) > 60


# The command ends early


@row("Ctrl-C before a prompt is sent")
def _(bench: Bench) -> None:
    bench.serve()
    started = bench.start("--rate", "1/m")
    assert started.line()
    started.signal(signal.SIGINT)
    run = started.end().expect(ExitCode.INTERRUPTED, stderr="run the same command again")
    assert len(bench.service.counts) == 1
    assert "1 accepted, 2 not submitted" in run.stderr
    bench.run().expect(ExitCode.OK, stderr="1 of 3 prompts was submitted before")


@row("Ctrl-C while replies are on their way")
def _(bench: Bench) -> None:
    event = threading.Event()
    bench.serve(late(event))
    started = bench.start()
    until(lambda: bench.service.counts)
    started.process.send_signal(signal.SIGINT)
    assert started.process.stderr is not None
    assert b"waiting for 1 reply" in started.process.stderr.readline()
    event.set()
    run = started.end().expect(ExitCode.INTERRUPTED, stderr="1 accepted, 2 not submitted")
    assert run.records[0]["state"] == "pending"
    bench.run().expect(ExitCode.OK)


@row("a second Ctrl-C")
def _(bench: Bench) -> None:
    bench.serve(held)
    started = bench.start()
    until(lambda: bench.service.counts)
    started.process.send_signal(signal.SIGINT)
    assert started.process.stderr is not None
    started.process.stderr.readline()
    started.signal(signal.SIGINT)
    bench.run().expect(ExitCode.OK)


@row("SIGTERM, or the terminal is closed")
def _(bench: Bench) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        event = threading.Event()
        bench.serve(late(event))
        bench.flux.environment["FLUX_JOURNAL"] = str(bench.journal.with_suffix(f".{number}"))
        started = bench.start()
        until(lambda: bench.service.counts)
        started.process.send_signal(number)
        assert started.process.stderr is not None
        assert b"waiting for 1 reply" in started.process.stderr.readline()
        event.set()
        started.end().expect(ExitCode(128 + number), stderr="1 accepted, 2 not submitted")
        bench.run().expect(ExitCode.OK)


@row("killed, or a power cut, before a prompt is sent")
def _(bench: Bench) -> None:
    bench.serve()
    started = bench.start("--rate", "1/m")
    assert started.line()
    started.signal(signal.SIGKILL)
    bench.run().expect(ExitCode.OK, stderr="1 of 3 prompts was submitted before")


@row("killed, or a power cut, while a prompt is on its way, and it arrives")
def _(bench: Bench) -> None:
    bench.serve(held)
    started = bench.start()
    until(lambda: bench.service.counts)
    started.signal(signal.SIGKILL)
    bench.run().expect(ExitCode.OK)


@row("killed, or a power cut, while a prompt is on its way, and it does not arrive")
def _(bench: Bench) -> None:
    bench.serve(unheard)
    started = bench.start()
    until(lambda: bench.service.arrived)
    started.signal(signal.SIGKILL)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="1 may have been accepted")
    bench.let_a_minute_pass()
    bench.run("--resend-unconfirmed").expect(ExitCode.OK)


@row("killed, or a power cut, after the reply")
def _(bench: Bench) -> None:
    bench.serve()
    started = bench.start("--rate", "1/m")
    first = started.line()
    started.signal(signal.SIGKILL)
    assert bench.run().expect(ExitCode.OK).lines[0][:43] == first[:43]


@row("`--watch` or `--download` is interrupted")
def _(bench: Bench) -> None:
    bench.serve()
    ways = bench.service.ways
    started = bench.start("--watch", "--interval", "60s", "--exec", "exec sleep 100")
    until(lambda: len(bench.service.counts) == 3)
    started.signal(signal.SIGINT)
    started.end().expect(ExitCode.INTERRUPTED)
    assert ways == []
    bench.run("--watch").expect(ExitCode.OK, stderr="all 3 prompts were submitted before")


# The network and the service


@row("the connection breaks after a prompt was sent")
def _(bench: Bench) -> None:
    bench.serve(lost, taken, lost)
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("the reply breaks off in the middle")
def _(bench: Bench) -> None:
    bench.serve(lambda service, request: [service.take(request.body)[:-30], End.CLOSE])
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("no reply within `--request-timeout`")
def _(bench: Bench) -> None:
    bench.serve(held)
    bench.run("--request-timeout", "1s").expect(ExitCode.OK, stderr="3 accepted")


@row("a reply without a task id")
def _(bench: Bench) -> None:
    def silent(service: Service, request: object) -> list[bytes]:
        service.take(request.body)  # type: ignore[attr-defined]
        return [service.json(200, b'{"success": true}')]

    bench.serve(silent)
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("429: too many requests")
def _(bench: Bench) -> None:
    bench.serve(refused(429, "too_many_requests"))
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("500")
def _(bench: Bench) -> None:
    def hidden(service: Service, request: object) -> list[bytes]:
        service.take(request.body)  # type: ignore[attr-defined]
        return list(refused(500, "api_error")(service, request))  # type: ignore[arg-type]

    bench.serve(hidden)
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("502 or 504, a gateway's page")
def _(bench: Bench) -> None:
    bench.serve(lost_in_a_gateway(502), lost_in_a_gateway(504))
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("503 `service_unavailable`")
def _(bench: Bench) -> None:
    bench.serve(refused(503, "service_unavailable"))
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("503, a gateway's page")
def _(bench: Bench) -> None:
    bench.serve(lost_in_a_gateway(503))
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("a lost reply, and the history does not list the task")
def _(bench: Bench) -> None:
    bench.serve(taken, lost, taken, lists=False)
    for _ in range(2):
        run = bench.run().expect(ExitCode.NO_ANSWER, stderr="2 accepted, 1 in doubt")
        assert [record["state"] for record in run.records] == ["pending", "unknown", "pending"]
    assert len(bench.service.arrived) == 3


@row("a lost reply, and the history lists the task late")
def _(bench: Bench) -> None:
    bench.serve(lost, lists=False)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="1 in doubt")
    bench.service.lists = True
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("a lost reply, and the clock of this computer is wrong")
def _(bench: Bench) -> None:
    for ahead in (-86400.0, 86400.0):
        bench.flux.environment["FLUX_JOURNAL"] = str(bench.journal.with_suffix(f".{ahead:.0f}"))
        bench.serve(lost, ahead=ahead)
        bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("connection refused")
def _(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    run = bench.run("--retries", "1", FLUX_API_BASE_URL=f"http://127.0.0.1:{port}")
    run.expect(ExitCode.NO_ANSWER, stderr="cannot connect to 127.0.0.1")
    assert {record["error"]["code"] for record in run.records} == {"not_sent"}


@row("the name of the service cannot be resolved")
def _(bench: Bench) -> None:
    url = "https://no-such-host.invalid"
    bench.run("--retries", "1", FLUX_API_BASE_URL=url).expect(
        ExitCode.NO_ANSWER, stderr="cannot connect to no-such-host.invalid"
    )


@row("the proxy is down, or refuses")
def _(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = "https://flux.invalid"
    proxy = f"http://127.0.0.1:{port}"
    bench.run("--retries", "1", FLUX_API_BASE_URL=url, HTTPS_PROXY=proxy).expect(
        ExitCode.NO_ANSWER, stderr="HTTPS_PROXY"
    )
    refusal = bench.stack.enter_context(FaultServer(lambda _: [reply(407, b"")]))
    bench.run("--retries", "1", FLUX_API_BASE_URL=url, HTTPS_PROXY=refusal.url).expect(
        ExitCode.NO_ANSWER, stderr="HTTPS_PROXY"
    )


@row("a certificate that is not trusted")
def _(bench: Bench) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = bench.stack.enter_context(FaultServer(bench.service, tls=context))
    run = bench.run(FLUX_API_BASE_URL=server.url).expect(ExitCode.NO_ANSWER)
    assert "certificate" in run.stderr


@row("a wrong base URL: 404 `no_api`")
def _(bench: Bench) -> None:
    bench.serve(*[refused(404, "no_api")] * 9)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="Check the base URL")
    assert len(bench.service.arrived) == 1


@row("a wrong base URL: a redirect")
def _(bench: Bench) -> None:
    bench.serve(*[lambda *_: [reply(302, b"", location="/elsewhere")]] * 9)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="base URL")
    assert len(bench.service.arrived) == 1


# The service says no


@row("moderation rejects a prompt (`forbidden`)")
def _(bench: Bench) -> None:
    bench.serve(refused(403, "forbidden"))
    for _ in range(2):
        bench.run().expect(ExitCode.TASK_FAILED, stderr="2 accepted, 1 refused")
    assert len(bench.service.arrived) == 3


@row("the service rejects a prompt (`bad_request`)")
def _(bench: Bench) -> None:
    bench.serve(refused(400, "bad_request"))
    for _ in range(2):
        bench.run().expect(ExitCode.TASK_FAILED, stderr="2 accepted, 1 refused")
    assert len(bench.service.arrived) == 3


@row("it rejects each of the first 20 prompts")
def _(bench: Bench) -> None:
    bench.write(*(f"fox number {number}" for number in range(30)))
    bench.serve(*[refused(400, "bad_request", "model is invalid.")] * 30)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="the first 20 prompts were all refused")
    assert len(bench.service.arrived) == 20


@row("the balance runs out in the middle (`used_up`)")
def _(bench: Bench) -> None:
    bench.serve(taken, refused(403, "used_up"))
    bench.run().expect(ExitCode.NO_ANSWER, stderr="Top up your balance")
    assert len(bench.service.arrived) == 2
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("the token is rejected in the middle")
def _(bench: Bench) -> None:
    bench.serve(taken, refused(401, "token_expired"))
    bench.run().expect(ExitCode.TOKEN, stderr="token_expired")
    assert len(bench.service.arrived) == 2
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("the application is disabled (`disabled`)")
def _(bench: Bench) -> None:
    bench.serve(*[refused(403, "disabled")] * 9)
    bench.run().expect(ExitCode.NO_ANSWER, stderr="The application is disabled")
    assert len(bench.service.arrived) == 1


# The same thing again


@row("the same command twice")
def _(bench: Bench) -> None:
    bench.serve()
    first = bench.run().expect(ExitCode.OK)
    second = bench.run().expect(ExitCode.OK, stderr="all 3 prompts were submitted before")
    assert [record["id"] for record in first.records] == [r["id"] for r in second.records]


@row("the same command in two terminals at once")
def _(bench: Bench) -> None:
    event = threading.Event()
    bench.serve(late(event))
    first = bench.start()
    until(lambda: bench.service.counts)
    second = bench.start()
    assert second.process.stderr is not None
    assert b"another flux is submitting run prompts" in second.process.stderr.readline()
    event.set()
    runs = [first.end().expect(ExitCode.OK), second.end().expect(ExitCode.OK)]
    assert runs[0].states == runs[1].states


@row("the file is renamed")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.write(*PROMPTS, name="others.txt")
    bench.run(file="others.txt").expect(ExitCode.OK, stderr="all 3 prompts were submitted before")


@row("the lines are in another order")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.write(*reversed(PROMPTS))
    bench.run().expect(ExitCode.OK, stderr="all 3 prompts were submitted before")


@row("a label is changed")
def _(bench: Bench) -> None:
    bench.serve()
    for scene in ("one", "two"):
        bench.write("prompt,scene", *(f"{prompt},{scene}" for prompt in PROMPTS))
        bench.run().expect(ExitCode.OK, stderr="3 accepted")


@row("a line is changed, or added")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.wanted = (*PROMPTS, "a blue owl at night", "a white cat")
    bench.write(PROMPTS[0], "a blue owl at night", PROMPTS[2], "a white cat")
    bench.run().expect(ExitCode.OK, stderr="2 of 4 prompts were submitted before")


@row("a line is removed")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.write(*PROMPTS[1:])
    run = bench.run().expect(ExitCode.OK, stderr="all 2 prompts were submitted before")
    assert len(run.records) == 2


@row("one prompt is in the file twice")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write(*PROMPTS, PROMPTS[0])
    for _ in range(2):
        bench.run().expect(ExitCode.OK, stderr="4 accepted")
    assert len(bench.service.arrived) == 4


@row("another `--size` or `--model`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.run("--size", "16:9").expect(ExitCode.OK)
    assert {body["size"] for body in bench.service.arrived} == {"1:1", "16:9"}


@row("`--again`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.run("--again").expect(ExitCode.OK, stderr="run prompts-2: 3 accepted")
    bench.run().expect(ExitCode.OK, stderr="all 3 prompts were submitted before")


@row("`--retry-refused`")
def _(bench: Bench) -> None:
    bench.serve(refused(400, "bad_request"))
    bench.run().expect(ExitCode.TASK_FAILED)
    bench.run("--retry-refused").expect(ExitCode.OK, stderr="3 accepted")
    assert len(bench.service.arrived) == 4


@row("`--resend-unconfirmed`, and the task cannot be found though it is there")
def _(bench: Bench) -> None:
    bench.serve(lost, lists=False)
    bench.run().expect(ExitCode.NO_ANSWER)
    bench.let_a_minute_pass()
    bench.run("--resend-unconfirmed").expect(ExitCode.OK, stderr="3 accepted")
    assert len(bench.service.arrived) == 4


@row("`--resend-unconfirmed`, and the task is found after all")
def _(bench: Bench) -> None:
    bench.serve(lost, lists=False)
    bench.run().expect(ExitCode.NO_ANSWER)
    bench.service.lists = True
    bench.run("--resend-unconfirmed").expect(ExitCode.OK, stderr="3 accepted")


@row("`--resend-unconfirmed`, and the history does not answer")
def _(bench: Bench) -> None:
    bench.serve(lost, lists=False)
    bench.run().expect(ExitCode.NO_ANSWER)
    bench.let_a_minute_pass()
    bench.service.has_trouble = True
    run = bench.run("--resend-unconfirmed", "--retries", "0")
    run.expect(ExitCode.NO_ANSWER, stderr="502")
    bench.service.has_trouble, bench.service.lists = False, True
    bench.run("--resend-unconfirmed").expect(ExitCode.OK, stderr="3 accepted")


@row("`flux tasks retry` twice")
def _(bench: Bench) -> None:
    bench.serve()
    ids = [record["id"] for record in bench.run().expect(ExitCode.OK).records]
    error = {"code": "api_error", "message": "fetch failed"}
    for task in bench.service.tasks:
        task["response"] = {"success": False, "error": error}
    for _ in range(2):
        bench.flux("tasks", "retry", "--rate", "1000/s", *ids).expect(ExitCode.OK)
    assert len(bench.service.arrived) == 6


@row("`flux runs rm`, then the same command")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.flux("runs", "rm", "prompts").expect(ExitCode.OK, stderr="is paid for again")
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


# The journal


@row("the journal is deleted")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run().expect(ExitCode.OK)
    bench.journal.unlink()
    bench.run().expect(ExitCode.OK)


@row("another computer, or another user")
def _(bench: Bench) -> None:
    bench.serve()
    for home in ("one", "two"):
        folder = str(bench.flux.folder / home)
        bench.run(FLUX_JOURNAL=None, HOME=folder, XDG_DATA_HOME=None).expect(ExitCode.OK)


def check_unusable(bench: Bench, reason: str) -> None:
    """Assert that nothing is sent where the journal is as it is."""
    before = bench.journal.read_bytes()
    run = bench.run().expect(ExitCode.OUTPUT, stderr=reason)
    assert run.stderr.count("\n") == 1
    assert bench.service.arrived == []
    assert bench.journal.read_bytes() == before


@row("the journal is damaged")
def _(bench: Bench) -> None:
    bench.serve()
    bench.journal.write_bytes(b"no journal " * 1000)
    check_unusable(bench, "damaged")


@row("the journal cannot be written")
def _(bench: Bench) -> None:
    bench.serve()
    for file, reason in ((".", "directory"), ("prompts.txt/journal", "cannot be used")):
        bench.run("--journal", file).expect(ExitCode.OUTPUT, stderr=reason)
    need("unshare")  # a folder that even root cannot write
    (bench.flux.folder / "disk").mkdir()
    mount = "mount -t tmpfs -o ro none disk"
    run = in_bash(bench, f"unshare -rm sh -c '{mount} && exec {SUBMIT} --journal disk/journal'")
    assert run.returncode == ExitCode.OUTPUT, run.stderr
    assert "read-only" in run.stderr


@row("the journal is from a newer flux")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run("--dry-run").expect(ExitCode.OK)
    from flux_cli.storage.journal import Journal

    Journal(bench.journal, now=lambda: 0.0).__exit__()
    with closing(sqlite3.connect(bench.journal)) as database:
        database.execute("PRAGMA user_version = 1000")
    check_unusable(bench, "newer flux")


@row("the journal is another program's file")
def _(bench: Bench) -> None:
    bench.serve()
    with closing(sqlite3.connect(bench.journal)) as database:
        database.execute("CREATE TABLE notes (text)")
    check_unusable(bench, "not a journal of flux")


@row("the disk with the journal is full")
def _(bench: Bench) -> None:
    need("bash")
    bench.serve()
    bench.run("--max", "0").expect(ExitCode.USAGE)
    bench.write(*(f"{'a very long prompt ' * 40}{number}" for number in range(60)))
    lines = (bench.flux.folder / "prompts.txt").read_text().splitlines()
    bench.wanted = tuple(lines)
    run = in_bash(bench, f"ulimit -f 200; PYTHONDONTWRITEBYTECODE=1 exec {SUBMIT}")
    assert run.returncode == ExitCode.OUTPUT, run.stderr
    assert "journal" in run.stderr
    assert len(bench.service.arrived) < 60
    bench.run().expect(ExitCode.OK, stderr="60 accepted")


# Output


@row("the reader of stdout leaves (`head -n 1`)")
def _(bench: Bench) -> None:
    need("bash")
    bench.serve()
    run = in_bash(bench, f"{SUBMIT} | head -n 1; exit ${{PIPESTATUS[0]}}")
    assert (run.returncode, run.stdout.count("\n")) == (0, 1), run.stderr


@row("stdout cannot be written")
def _(bench: Bench) -> None:
    need("bash")
    bench.serve()
    run = in_bash(bench, f"{SUBMIT} > /dev/full")
    assert run.returncode == ExitCode.NO_ANSWER, run.stderr
    assert "stdout: cannot be written" in run.stderr
    bench.run().expect(ExitCode.OK, stderr="3 accepted")


# Slips


@row("a model with a typo")
def _(bench: Bench) -> None:
    bench.serve(*[refused(400, "bad_request", "model is invalid.")] * 9)
    run = bench.run("--model", "flux-dex").expect(ExitCode.TASK_FAILED, stderr="model is invalid")
    assert "unknown model flux-dex" in run.stderr


@row("a size or a count with a typo")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write("prompt,size,count", "a fox,1:1,1", "an owl,19:6,1", "a frog,1:1,10")
    run = bench.run().expect(ExitCode.USAGE, stderr='prompts.txt:3: size "19:6" is not one of')
    assert 'prompts.txt:4: count "10" is not a whole number' in run.stderr
    bench.say("a fox", "--size", "19:6").expect(ExitCode.USAGE, stderr='--size: size "19:6" is not')


@row("a column `promt`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write("promt,size", "a fox,1:1")
    bench.run().expect(ExitCode.USAGE, stderr='has no column "prompt"')


@row("a column `siz`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write("prompt,siz", "a fox,16:9")
    bench.run().expect(ExitCode.USAGE, stderr='"size"')
    bench.write('{"prompt": "a fox", "conut": 2}')
    bench.run().expect(ExitCode.USAGE, stderr='"count"')


@row("a file of task ids instead of prompts")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write("2db0168c-2373-4367-8d9a-9dc778802e8a", "5d9dc9f8-1818-4a4e-8f0b-3d1b5e4a1c11")
    bench.run().expect(ExitCode.USAGE, stderr="this is a task id, not a prompt")


@row("a file name without `-f`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.say("prompts.txt").expect(ExitCode.USAGE, stderr="is a file, not a prompt")
    bench.say("prompt.txt").expect(ExitCode.USAGE, stderr="there is no such file")


@row("a prompt without quotation marks")
def _(bench: Bench) -> None:
    bench.serve()
    bench.say("a", "red", "fox").expect(ExitCode.USAGE, stderr="3 prompts of one word each")


@row("an empty file, or a script that fills in `null`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write()
    bench.run().expect(ExitCode.USAGE, stderr="it contains no prompts")
    bench.say("null").expect(ExitCode.USAGE, stderr="is a placeholder")


@row("the token in place of a prompt")
def _(bench: Bench) -> None:
    bench.serve()
    bench.say(CANARY).expect(ExitCode.USAGE, stderr="this contains your API token")


@row("too many prompts on a terminal")
def _(bench: Bench) -> None:
    bench.serve()
    bench.write(*(f"fox number {number}" for number in range(11)))
    terminal = Terminal(bench.flux, *GENERATE, "-f", "prompts.txt")
    terminal.expect("Submit 11 images with flux-dev at 1:1?")
    terminal.type("n\r")
    screen = terminal.end()
    assert screen.code == ExitCode.USAGE
    assert "flux: nothing was sent." in screen.lines


@row("more than `--max`")
def _(bench: Bench) -> None:
    bench.serve()
    bench.run("--max", "2").expect(ExitCode.USAGE, stderr="--max allows 2")


@row("`--dry-run`")
def _(bench: Bench) -> None:
    bench.serve()
    run = bench.run("--dry-run").expect(ExitCode.OK, stderr="Nothing was sent")
    assert [record["prompt"] for record in run.records] == list(PROMPTS)
    assert not bench.journal.exists()
