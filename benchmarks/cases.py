"""The cases: what is run, with how many ids, at which latency, and what is to be reached."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Command, Figure, Sample
from benchmarks.setup import HERE, Setup, make_ids


def wall(sample: Sample) -> float:
    return sample.wall


def cpu(sample: Sample) -> float:
    return sample.cpu


@dataclass(frozen=True, slots=True)
class Rival:
    """Something to compare with: at most `goal` times as long, None for no goal.

    Of a difference, `goal` is in seconds. What `may_not_slip`
    fails the run when it is a tenth worse than on the page that there is.
    """

    name: str
    command: Command
    goal: float | None = None
    scale: float = 1.0  # it did this part of the work
    is_difference: bool = False
    may_not_slip: bool = False


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
        Case("`--help`", setup.flux("--help"), [Rival(cli, setup.peer(cli, "--help"), 0.28)]),
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
                Rival(cli, setup.peer(cli, "tasks", "--json", *fifty), 0.3),
                Rival("standard library", setup.floor("ask", *fifty), 2.1),
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
            [Rival(cli, setup.peer(cli, "tasks", *fifty), 0.45)],
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


def secure(setup: Setup, plain: Setup) -> Case:
    """Return the case that users have: over TLS, with all that a system trusts."""
    if setup.certificates is None:
        raise ValueError("without certificates there is no https")
    fifty = make_ids(50)
    look = ("tasks", "check", "-o", "jsonl", *fifty)
    return Case(
        "`check`, 50 ids, JSON lines, https",
        setup.flux(*look),
        [
            Rival(
                "flux-pro-cli over https",
                setup.peer("flux-pro-cli", "tasks", "--json", *fifty),
                0.3,
                may_not_slip=True,
            ),
            Rival(
                "the same over http",
                plain.flux(*look),
                0.006 + setup.certificates.handshake(setup.url),
                is_difference=True,
            ),
        ],
    )


def files(setup: Setup, count: int = 500) -> Case:
    """Return the case that saves files of 1 MB."""
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
    curl = f"{anew} curl -sSZ --parallel-max 8 -K ../curl"
    trusted = f"--ca-certificate={setup.certificates.bundle}" if setup.certificates else ""
    wget = setup.shell(f"{anew} wget -q {trusted} -i ../urls", is_peer=True)
    rivals = [Rival("wget, one at a time", wget, 1.15)]
    if setup.scheme == "http":
        same = setup.shell(f"{curl} && sha256sum ./* && sync ./* .", is_peer=True)
        rivals += [
            Rival("curl -Z", setup.shell(curl, is_peer=True)),
            Rival("curl -Z, then sha256sum, then sync", same, 0.65),
        ]
    return Case(
        f"`download`, {count} files of 1 MB, eight at a time, {setup.scheme}",
        setup.shell(f"{anew} {setup.program} tasks download -q < ../records"),
        rivals,
    )


def large(setup: Setup, latency: float, start_up: float) -> list[Case]:
    """Return what scripts do; latency and start-up are both in seconds."""
    return [_large(setup, latency, start_up, count) for count in (1000, 10_000)]


def large_secure(setup: Setup, latency: float, start_up: float) -> Case:
    """Return the longest of them over https, alone."""
    return _large(setup, latency, start_up, 10_000)


def _large(setup: Setup, latency: float, start_up: float, count: int) -> Case:
    requests = count // 50
    ideal = requests / 8 * latency
    is_goal = count == 10_000 and latency == 0.1

    def note(figure: Figure) -> str:
        if not ideal:
            return ""
        goal = ", at most 1.06" if is_goal else ""
        return f"{figure.wall / (ideal + start_up):.2f} of ideal + start-up{goal}"

    # One of flux-pro-cli's runs takes so long that a tenth of its work is timed, and scaled.
    xargs = f"xargs -n 50 {setup.peers['flux-pro-cli'].bin / 'flux'} tasks --json"
    rival = Rival(
        "flux-pro-cli with `xargs -n 50`",
        setup.shell(xargs, stdin=setup.ids(count // 10), is_peer=True),
        0.06 if is_goal else None,
        scale=10.0,
    )
    is_plain = setup.scheme == "http"
    return Case(
        f"{count:,} ids, {latency * 1000:.0f} ms{'' if is_plain else ', https'}",
        setup.flux("tasks", "check", stdin=setup.ids(count)),
        [rival] if is_plain else [],
        latency=latency,
        runs=10 if count == 1000 else 5,
        note=note,
    )


def processor(setup: Setup) -> Case:
    """Return the case that counts seconds of processor instead of time."""
    ids = setup.ids(10_000)
    return Case(
        "10,000 ids as JSON lines, processor time",
        setup.flux("tasks", "check", stdin=ids),
        [Rival("bare decode and encode", setup.floor("decode", stdin=ids), 2.2)],
        what=cpu,
    )
