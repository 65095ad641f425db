"""The cases: what is run, with how many ids, at which latency, and what is to be reached."""

import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command, Figure, Sample
from benchmarks.peers import Peer


HERE = Path(__file__).parent
TOKEN = "benchmark-token-not-a-secret"  # noqa: S105 - says so itself


def wall(sample: Sample) -> float:
    return sample.wall


def cpu(sample: Sample) -> float:
    return sample.cpu


@dataclass(frozen=True, slots=True)
class Rival:
    """Something to compare with: at most `goal` times as long, None for no goal."""

    name: str
    command: Command
    goal: float | None = None
    scale: float = 1.0  # it did this part of the work


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table; `latency` is in seconds."""

    name: str
    command: Command
    rivals: Sequence[Rival] = ()
    latency: float = 0.0
    runs: int = 10
    what: Callable[[Sample], float] = wall
    note: Callable[[Figure], str] = lambda _: ""


class Setup:
    """Makes commands for a service at `url`."""

    def __init__(self, url: str, folder: Path, program: Path, peers: dict[str, Peer]) -> None:
        """`program` is flux as users install it."""
        self.program = program
        self.url = url
        self.folder = folder
        self.peers = peers
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "FLUX_API_BASE_URL": url,
            "FLUX_API_TOKEN": TOKEN,
            "ACEDATACLOUD_API_BASE_URL": url,
            "ACEDATACLOUD_API_TOKEN": TOKEN,
        }

    def ids(self, count: int) -> Path:
        """Return a file of so many ids."""
        path = self.folder / f"ids-{count}"
        if not path.exists():
            path.write_text("\n".join(make_ids(count)))
        return path

    def flux(self, *arguments: str, stdin: Path | None = None) -> Command:
        return Command([str(self.program), *arguments], self.environment, stdin)

    def peer(self, name: str, *arguments: str, stdin: Path | None = None) -> Command:
        program = "flux" if name == "flux-pro-cli" else "python"
        return Command([str(self.peers[name].bin / program), *arguments], self.environment, stdin)

    def shell(self, script: str, stdin: Path | None = None) -> Command:
        return Command(["bash", "-c", script], self.environment, stdin)

    def floor(self, mode: str, *ids: str, stdin: Path | None = None) -> Command:
        script = str(HERE / "floor.py")
        return Command([sys.executable, script, mode, *ids], self.environment, stdin)

    def curl(self, ids: Iterable[str]) -> Command:
        words = ",".join(f'"{task_id}"' for task_id in ids)
        body = f'{{"action":"retrieve_batch","ids":[{words}],"limit":50}}'
        header = f"authorization: Bearer {TOKEN}"
        curl = shutil.which("curl") or "curl"
        arguments = [curl, "-sS", "-H", header, "-d", body, f"{self.url}/flux/tasks"]
        return Command(arguments, self.environment)


def make_ids(count: int) -> list[str]:
    return [str(uuid.UUID(int=number << 96 | number)) for number in range(1, count + 1)]


def small(setup: Setup) -> list[Case]:
    """Return what is typed by hand: start-up counts."""
    one, fifty = make_ids(1), make_ids(50)
    scripts = HERE.parent / "completions"
    typers = f"{sys.executable} {HERE / 'typer_completion.py'}"
    cli = "flux-pro-cli"
    return [
        Case(
            "`--version`",
            setup.flux("--version"),
            [Rival(cli, setup.peer(cli, "--version"), 0.35)],
        ),
        Case("`--help`", setup.flux("--help"), [Rival(cli, setup.peer(cli, "--help"))]),
        Case(
            "one completion (TAB), bash",
            setup.shell(
                f"source {scripts}/flux.bash; COMP_WORDS=(flux tasks che); COMP_CWORD=2; _flux;"
                " [[ $COMPREPLY == check ]]"
            ),
            [
                Rival(
                    "typer's own script",
                    setup.shell(
                        "COMPREPLY=($(env COMP_WORDS='flux tasks che' COMP_CWORD=2"
                        f" _FLUX_COMPLETE=complete_bash {typers})); [[ $COMPREPLY == check ]]"
                    ),
                    0.5,
                )
            ],
        ),
        Case(
            "`check`, 1 id, JSON lines",
            setup.flux("tasks", "check", "-o", "jsonl", *one),
            [
                Rival(cli, setup.peer(cli, "tasks", "--json", *one)),
                Rival("standard library", setup.floor("ask", *one)),
            ],
        ),
        Case(
            "`check`, 50 ids, JSON lines",
            setup.flux("tasks", "check", "-o", "jsonl", *fifty),
            [
                Rival(cli, setup.peer(cli, "tasks", "--json", *fifty), 0.42),
                Rival("standard library", setup.floor("ask", *fifty), 3.5),
                Rival("curl", setup.curl(fifty)),
                Rival(
                    "mcp-flux-pro",
                    setup.peer(
                        "mcp-flux-pro",
                        str(HERE / "peer_mcp.py"),
                        str(setup.peers["mcp-flux-pro"].bin / "mcp-flux-pro"),
                        stdin=setup.ids(50),
                    ),
                ),
            ],
        ),
        Case(
            "`check`, 50 ids, table",
            setup.flux("tasks", "check", "-o", "table", *fifty),
            [Rival(cli, setup.peer(cli, "tasks", *fifty), 0.55)],
        ),
        Case(
            "`check`, 200 ids, JSON lines",
            setup.flux("tasks", "check", stdin=setup.ids(200)),
            [
                Rival(
                    "acedatacloud, `tasks.get` in a loop",
                    setup.peer("acedatacloud", str(HERE / "peer_sdk.py"), stdin=setup.ids(200)),
                )
            ],
        ),
    ]


def files(setup: Setup, count: int = 500) -> Case:
    """Return the case that saves files of 1 MB: with flux, curl and wget, eight, eight, one."""
    urls = [f"{setup.url}/files/{task_id}.png" for task_id in make_ids(count)]
    (setup.folder / "urls").write_text("\n".join(urls))
    (setup.folder / "curl").write_text("".join(f"url = {url}\nremote-name\n" for url in urls))
    record = {"state": "succeeded", "observed_at": "2026-01-01T00:00:00Z"}
    (setup.folder / "records").write_text(
        "\n".join(
            json.dumps(record | {"id": task_id, "outputs": [{"url": url}]})
            for task_id, url in zip(make_ids(count), urls, strict=True)
        )
    )
    anew = f"cd {setup.folder}; rm -rf out; mkdir out; cd out;"
    return Case(
        f"`download`, {count} files of 1 MB, eight at a time",
        setup.shell(f"{anew} {setup.program} tasks download -q < ../records"),
        [
            Rival("curl -Z", setup.shell(f"{anew} curl -sSZ --parallel-max 8 -K ../curl")),
            Rival("wget, one at a time", setup.shell(f"{anew} wget -q -i ../urls")),
        ],
    )


def large(setup: Setup, latency: float, start_up: float) -> list[Case]:
    """Return what scripts do; latency and start-up are both in seconds."""
    cases = []
    for count in (1000, 10_000):
        requests = count // 50
        ideal = requests / 8 * latency

        def note(figure: Figure, ideal: float = ideal) -> str:
            if not ideal:
                return ""
            return f"{figure.wall / (ideal + start_up):.2f} of ideal + start-up"

        # One of flux-pro-cli's runs takes so long that a tenth of its work is timed, and scaled.
        part = count // 10
        xargs = f"xargs -n 50 {setup.peers['flux-pro-cli'].bin / 'flux'} tasks --json"
        cases.append(
            Case(
                f"{count:,} ids, {latency * 1000:.0f} ms",
                setup.flux("tasks", "check", stdin=setup.ids(count)),
                [
                    Rival(
                        "flux-pro-cli with `xargs -n 50`",
                        setup.shell(xargs, stdin=setup.ids(part)),
                        0.06 if count == 10_000 and latency == 0.1 else None,
                        scale=10.0,
                    )
                ],
                latency=latency,
                runs=10 if count == 1000 else 5,
                note=note,
            )
        )
    return cases
