"""Memory grows by the ids, never by what the service or a command says."""

import sys

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.support.fault_server import answer
from tests.support.peak import peak_memory
from tests.support.pictures import with_files
from tests.support.program import FLUX, MEASURED_BY, Program
from tests.support.records import make_ids


PROMPT = "x" * 20_000
FEW, MANY = 100, 1500  # 28 MB of prompts lie between them
MOST = 12_000_000  # bytes; 4 MiB are kept in memory before a file takes over
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
CASES = {
    "live view": ["watch"],
    "table at the end": ["watch", "-o", "csv"],
    "stream": ["watch", "-o", "jsonl"],
    "exec": ["watch", "-o", "ids", "--exec", "cat > /dev/null"],
    "watch and save": ["watch", "-o", "ids", "--download", "out"],
    "download": ["download", "-o", "ids", "-d", "out"],
    "check": ["check", "-o", "csv"],
}


def peak(flux: Program, name: str, count: int) -> int:
    """Return the peak memory of a run over `count` tasks, in bytes."""
    (flux.folder / "ids").write_text("\n".join(make_ids(count)))
    options = ["-q", "-f", "ids", "--concurrency", "1", "--batch-size", "10"]
    command = [FLUX, "tasks", *CASES[name], *options]
    if name == "live view":
        command = [sys.executable, "-c", ON_A_TERMINAL, *command]
    variables = flux.variables({"TERM": "xterm"} | dict.fromkeys(MEASURED_BY))
    code, _, used = peak_memory(command, variables, flux.folder)
    assert code == ExitCode.OK
    return used


@pytest.mark.parametrize("name", CASES)
def test_prompts_do_not_stay_in_memory(flux: Program, service: Start, name: str) -> None:
    request = {"action": "generate", "model": "flux-dev", "prompt": PROMPT}
    service(with_files(request=request))
    assert peak(flux, name, MANY) - peak(flux, name, FEW) < MOST


def test_what_a_command_prints_does_not_stay_in_memory(flux: Program, service: Start) -> None:
    service(answer)
    command = [FLUX, "tasks", "watch", "-q", "-o", "ids", "an-id", "--exec"]
    printed = {}
    for size in ("1", "100000000"):
        code, _, printed[size] = peak_memory(
            [*command, f"head -c {size} /dev/zero"], flux.variables({}), flux.folder
        )
        assert code == ExitCode.OK
    assert printed["100000000"] - printed["1"] < MOST
