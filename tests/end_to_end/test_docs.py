"""What the documentation tells people to type, typed; what is made from the code, fresh."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from flux_cli.commands.topics import EXIT_CODES, FORMATS, STATES
from flux_cli.errors import ExitCode
from flux_cli.models.state import State
from flux_cli.output.formats import Format
from flux_cli.output.records import KEYS
from flux_cli.output.schema import record_schema
from flux_cli.sandbox.server import Sandbox
from tests.end_to_end.test_check import Start, mixed
from tests.support.fault_server import reply
from tests.support.needs import need
from tests.support.program import FLUX, Program
from tests.support.records import batch, finished, running


TOP = Path(__file__).parent.parent.parent
README = (TOP / "README.md").read_text()
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]


def blocks(language: str) -> dict[str, str]:
    """Return the blocks of code of all pages, each with a name."""
    found: dict[str, str] = {}
    for page in PAGES:
        texts = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
        found |= {f"{page.stem}-{number}": text for number, text in enumerate(texts)}
    return found


EXAMPLES = blocks("sh")
SCRIPTS = (TOP / "docs" / "scripts.md").read_text()
ACTIONS = re.findall(r"run: \|\n((?: {10}.*\n)+)", SCRIPTS)
CRONTAB = re.findall(r"^(?:\*/10|0) \* \* \* \* (.*)$", SCRIPTS, re.MULTILINE)


@pytest.fixture
def ids(flux: Program, sandbox: Callable[..., Sandbox]) -> list[str]:
    """Start a sandbox with a task that succeeds and one that fails; their ids are in files."""
    server = sandbox()
    tasks = [{"action": "generate", "prompt": prompt} for prompt in ("a fox", "will fail")]
    ids = [server.store.submit(task).id for task in tasks]
    (flux.folder / "ids.txt").write_text("\n".join(ids))
    rows = ("customer,task_id", *(f"c{number},{i}" for number, i in enumerate(ids)))
    (flux.folder / "mine.csv").write_text("\n".join(rows) + "\n")
    (flux.folder / "prompts.csv").write_text("prompt,size\na red fox,16:9\na blue owl,1:1\n")
    (flux.folder / "prompts.txt").write_text("a red fox\na blue owl\n")
    (flux.folder / "notes.md").write_text("".join(f"- task {task_id}\n" for task_id in ids))
    (flux.folder / "bin").mkdir()
    (flux.folder / "bin" / "flux").symlink_to(FLUX)
    flux.environment["PATH"] = f"{flux.folder / 'bin'}:{flux.environment['PATH']}"
    time.sleep(0.05)
    return ids


def run_in_bash(
    flux: Program, script: str, options: str = "-eu"
) -> subprocess.CompletedProcess[str]:
    need("bash", *(tool for tool in ("curl", "jq", "parallel") if re.search(rf"\b{tool} ", script)))
    run = subprocess.run(
        ["bash", options, "-o", "pipefail", "-c", script],
        cwd=flux.folder,
        env=flux.variables({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in run.stderr
    return run


# What an example must leave behind: a file and a part of it, or a part of stdout, of the two
# tasks, of which the first (0) succeeds and the second (1) fails.
LEAVES = {
    "README-0": ("pictures/index.html", "a blue owl"),
    "README-1": ("", "{1}\n"),
    "README-2": ("tasks.csv", "{1},failed"),
    "README-3": ("pictures/{0}_1.png", "PNG"),
    "README-4": ("", '"id":"{1}"'),
    "README-5": ("tasks.jsonl", '"prompt":"a red fox in the snow"'),
    "README-6": ("log.txt", "{0} succeeded"),
    "download-0": ("again.jsonl", '"path":"pictures/{0}_1.png"'),
    "download-1": ("", "a-fox_"),
    "download-2": ("", '"path":"pictures/{0}_1.png"'),
    "download-3": ("saved.jsonl", '"id":"{0}","output":1'),
    "quick-start-0": ("pictures/index.html", "a blue owl"),
    "quick-start-1": ("", '"size":"16:9"'),
    "quick-start-2": ("", '"id":"{1}"'),
    "quick-start-3": ("", "{1},failed"),
    "quick-start-4": ("pictures/{0}_1.png", "PNG"),
    "quick-start-5": ("", '"id":"{1}"'),
    "scripts-0": ("", "some failed:\n{1}\n"),
    "scripts-1": ("submitted.jsonl", '"prompt":"a blue owl","size":"16:9"'),
    "scripts-2": ("pictures/index.html", "a blue owl"),
    "scripts-3": ("ids.txt", "-"),
    "scripts-4": ("again.jsonl", '"prompt":"will fail"'),
    "scripts-5": ("", "fetch failed ({1})"),
    "scripts-6": ("joined.csv", "c1,{1},{1},failed"),
    "scripts-7": ("", "{0}\n{1}\n"),
    "scripts-8": ("", "{1}: new -> failed"),
    "scripts-9": ("{1}.json", '"state":"failed"'),
    "scripts-10": ("", "pictures/{0}_1.png\t"),
    "scripts-11": ("1.png", "PNG"),
    "scripts-12": ("tasks.csv", "{0},succeeded"),
    "scripts-13": ("", "-"),
    "scripts-14": ("submitted.jsonl", '"prompt":"a fox"'),
    "submit-0": ("pictures/index.html", "a blue owl"),
    "submit-1": ("", '"model":"flux-pro","prompt":"the same at dawn","size":"1:1"'),
    "submit-2": ("", "2,succeeded,a blue owl"),
    "submit-3": ("", ".png\n"),
    "submit-4": ("", '"prompt":"will fail"'),
    "submit-5": ("submitted.jsonl", '"prompt":"a blue owl"'),
    "submit-6": ("log.jsonl", '"path":"pictures/'),
}
VERDICT = {  # end with a watch of a task that fails
    *("README-2", "quick-start-3", "scripts-4", "scripts-8", "scripts-9", "submit-4"),
}
_SAYS = re.compile(r"^flux: (?!kept as labels|would submit|not retried)", re.MULTILINE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_run(flux: Program, ids: list[str], name: str) -> None:
    run = run_in_bash(flux, EXAMPLES[name], "-u" if name in VERDICT else "-eu")
    assert run.returncode in ({0, 3} if name in VERDICT else {0}), run.stderr
    assert not _SAYS.search(run.stderr)
    file, part = (text.format(*ids) for text in LEAVES[name])
    left = (flux.folder / file).read_text(errors="replace") if file else run.stdout
    assert part.format(*ids) in left


def test_every_example_leaves_something() -> None:
    assert set(EXAMPLES) == set(LEAVES)


@pytest.mark.parametrize(
    ("script", "file", "part"),
    [
        (ACTIONS[0], "tasks.csv", "{1},failed"),
        (CRONTAB[0], "log.jsonl", '"path":"'),
        (CRONTAB[1], "tasks.csv", "{1},failed"),
    ],
    ids=["GitHub Actions", "crontab for prompts", "crontab"],
)
def test_examples_for_other_programs_run(
    flux: Program, ids: list[str], script: str, file: str, part: str
) -> None:
    home = str(flux.folder)
    run = run_in_bash(flux, script.replace("$HOME/pictures", home).replace("          ", ""))
    assert run.returncode in (0, ExitCode.TASK_FAILED)
    assert part.format(*ids) in (flux.folder / file).read_text()


@pytest.mark.parametrize(
    "page", [*PAGES, TOP / "CONTRIBUTING.md", TOP / "SECURITY.md"], ids=lambda page: page.name
)
def test_what_is_to_be_typed_has_no_comments(page: Path) -> None:
    """zsh, the default shell of macOS, takes them for arguments where somebody types."""
    blocks = re.findall(r"(?ms)^```(?:sh|console|text)\n(.*?)^```", page.read_text())
    lines = [line for block in blocks for line in block.splitlines()]
    assert [line for line in lines if re.search(r"(^|\s)#", line)] == []


def test_links_lead_somewhere() -> None:
    for page in [*PAGES, TOP / "SECURITY.md", TOP / "CONTRIBUTING.md"]:
        text = page.read_text()
        for link in re.findall(r'\]\(([^)#]+)[^)]*\)|(?:src|srcset)="([^"]+)"', text):
            target = link[0] or link[1]
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_code_state_and_format_is_explained() -> None:
    listed = re.findall(r"^\| ([0-9, ]+) \|", README, re.MULTILINE)
    codes = {int(code) for cell in listed for code in cell.split(",")}
    assert codes == set(ExitCode)
    assert {int(term) for term, _ in EXIT_CODES.rows} == set(ExitCode)
    assert {term for term, _ in STATES.rows} == set(State)
    assert {term for term, _ in FORMATS.rows} == set(Format)


@pytest.mark.parametrize(
    ("script", "folder", "how"),
    [
        ("docs/make.py", "docs", "make docs"),
        ("docs/pictures/make.py", "docs/pictures", "make pictures"),
    ],
)
def test_what_is_made_from_the_code_is_fresh(
    tmp_path: Path, script: str, folder: str, how: str
) -> None:
    subprocess.run([sys.executable, TOP / script, tmp_path], check=True)
    made = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(made) >= 3
    for path in made:
        assert (TOP / folder / path.name).read_text() == path.read_text(), f"run: {how}"


def test_real_output_fits_the_schema(flux: Program, service: Start) -> None:
    schema = json.loads(flux("schema").expect(ExitCode.OK).stdout)
    assert schema == record_schema()
    assert schema["required"] == list(KEYS)
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    service(mixed)
    run = flux("tasks", "check", "s1", "f1", "r1", "n1", "--raw").expect(ExitCode.OK)
    states = {record["state"] for record in run.records}
    assert states == {"succeeded", "failed", "processing", "not_found"}
    service(lambda _: [reply(403, b"")])
    unknown = flux("tasks", "check", "a").expect(ExitCode.NO_ANSWER).records
    service(lambda r: [reply(200, batch(running(i) | {"elapsed": True} for i in r.ids))])
    strange = flux("tasks", "check", "a").expect(ExitCode.OK).records
    video = {"video_url": "https://x/v.mp4", "seconds": 5, "width": 640, "height": 360}
    cost = {"amount": 2.7, "currency": "credit"}
    response = {"success": True, "data": [video], "cost": cost}
    service(lambda r: [reply(200, batch(finished(i, response=response) for i in r.ids))])
    videos = flux("tasks", "check", "a").expect(ExitCode.OK).records
    for record in [*run.records, *unknown, *strange, *videos]:
        check.validate(record)
        assert list(record)[: len(KEYS)] == list(KEYS)
    for key in KEYS:
        assert not check.is_valid({k: v for k, v in videos[0].items() if k != key})


def test_the_man_page_has_the_sections_that_readers_look_for() -> None:
    page = (TOP / "docs" / "flux.1").read_text()
    titles = re.findall(r"^\.SH (.+)", page, re.MULTILINE)
    for title in ("EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"):
        assert title in titles
    assert "\nflux tasks check ID ID\n" in page.partition(".SH EXAMPLES")[2]


@pytest.mark.parametrize("topic", ["exit-codes", "environment", "formats", "states"])
def test_help_on_topics_fits_80_columns(flux: Program, topic: str) -> None:
    run = flux("help", topic).expect(ExitCode.OK)
    assert all(len(line) <= 80 for line in run.lines)
    assert len(run.lines) > 8


def test_help_on_commands(flux: Program) -> None:
    assert flux("help", "tasks", "watch").out == flux("tasks", "watch", "--help").out
    assert flux("help").out == flux("--help").out
    flux("help", "nonsense").expect(ExitCode.USAGE, stderr="no help for 'nonsense'")


def test_python_m_is_the_same_program(flux: Program) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flux_cli", "--version"],
        env=flux.variables({}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == flux("--version").expect(ExitCode.OK).out
    assert re.fullmatch(r"flux \d+\.\d+\.\d+\n", run.stdout)
