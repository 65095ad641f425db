"""`flux tasks download`: from finished tasks to files."""

import contextlib
import json
from collections.abc import Callable

import jsonschema
import pytest

from flux_cli.errors import ExitCode
from flux_cli.models.media import Media
from flux_cli.output.schema import record_schema
from flux_cli.sandbox.server import Sandbox
from tests.support.fault_server import FaultServer, Request, Script, Step, reply
from tests.support.media import FILES
from tests.support.pictures import PNG, leftovers, saved, whole, with_files
from tests.support.program import Program
from tests.support.records import batch, failed, finished, make_ids, running
from tests.support.terminal import Terminal


Start = Callable[[Script], FaultServer]
IDS = make_ids(3)
DOWNLOAD = ("tasks", "download", "-d", "out")


def files(flux: Program) -> list[str]:
    out = flux.folder / "out"
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_every_output_is_saved_and_told_of(flux: Program, service: Start) -> None:
    server = service(with_files(count=2))
    run = flux(*DOWNLOAD, *IDS).expect(ExitCode.OK, stderr="saved 6 files (")
    assert [record["id"] for record in run.records] == IDS
    assert len(saved(run, flux.folder)) == 6
    assert files(flux) == sorted(f"{i}_{n}.png" for i in IDS for n in (1, 2))
    for record in run.records:
        jsonschema.validate(record, record_schema())
    assert len(server.requests) == 1 + 6
    assert all("authorization" not in r.headers for r in server.requests[1:])


def test_records_of_check_are_not_asked_for_again(flux: Program, service: Start) -> None:
    server = service(with_files())
    records = flux("tasks", "check", *IDS).stdout
    run = flux(*DOWNLOAD, stdin=records, FLUX_API_TOKEN=None).expect(ExitCode.OK)
    assert len(saved(run, flux.folder)) == 3
    assert [r.path for r in server.requests].count("/flux/tasks") == 1
    assert [r | {"outputs": []} for r in run.records] == [
        r | {"outputs": []} for r in map(json.loads, records.splitlines())
    ]


def test_a_cost_is_kept_and_told_again(flux: Program, service: Start) -> None:
    service(with_files(cost={"amount": 0.1, "currency": "credit", "list_amount": 0.2}))
    told = "3 tasks: 3 succeeded; 0.3 credits\n"
    watched = flux("tasks", "watch", *IDS).expect(ExitCode.OK, stderr=told)
    checked = flux("tasks", "check", *IDS).expect(ExitCode.OK, stderr=told)
    again = flux(*DOWNLOAD, stdin=checked.stdout, FLUX_API_TOKEN=None).expect(
        ExitCode.OK, stderr=told
    )
    for run in (watched, checked, again):
        assert [r["cost"] for r in run.records] == [{"amount": 0.1, "currency": "credit"}] * 3


def test_only_what_is_open_is_asked_for(flux: Program, service: Start) -> None:
    """Records and plain ids may be mixed; the order is the input's."""
    server = service(with_files())
    records = flux("tasks", "check", IDS[1]).out.splitlines()
    open_one = json.dumps(json.loads(records[0]) | {"id": IDS[2], "state": "processing"})
    lines = "\n".join([json.dumps({"id": IDS[0]}), *records, open_one])
    run = flux(*DOWNLOAD, stdin=lines).expect(ExitCode.OK)
    assert [record["id"] for record in run.records] == IDS
    asked = [r.ids for r in server.requests if r.path == "/flux/tasks"]
    assert asked == [[IDS[1]], [IDS[0], IDS[2]]]


def test_what_is_there_is_kept(flux: Program, service: Start) -> None:
    server = service(with_files())
    flux(*DOWNLOAD, *IDS).expect(ExitCode.OK)
    (flux.folder / "out" / f"{IDS[0]}_1.png").write_bytes(b"mine")
    run = flux(*DOWNLOAD, *IDS).expect(ExitCode.OK, stderr="kept 3 existing")
    assert saved(run, flux.folder)[0].read_bytes() == b"mine"
    assert [r.path for r in server.requests].count(f"/{IDS[0]}.png") == 1


def test_overwriting_replaces_also_a_file_of_another_kind(flux: Program, service: Start) -> None:
    service(with_files())
    out = flux.folder / "out"
    out.mkdir()
    (out / f"{IDS[0]}_1.webp").write_bytes(b"old")
    run = flux(*DOWNLOAD, "--overwrite", IDS[0]).expect(ExitCode.OK, stderr="saved 1 file ")
    assert saved(run, flux.folder)[0].read_bytes() == PNG
    assert files(flux) == [f"{IDS[0]}_1.png"]


@pytest.mark.parametrize("media", Media)
def test_the_extension_comes_from_the_bytes(flux: Program, service: Start, media: Media) -> None:
    service(with_files(lambda _: [reply(200, FILES[media], content_type="image/x")]))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].name == f"{IDS[0]}_1.{media}"


def test_names_follow_the_template(flux: Program, service: Start) -> None:
    service(with_files(count=2))
    flux(*DOWNLOAD, IDS[0], "--name", "{model}/{created:%Y}/{prompt}_{seed}_{id}").expect(
        ExitCode.OK
    )
    folder = f"flux-dev/2025/a-cat_{{}}_{IDS[0]}"
    assert files(flux) == [f"{folder.format(1)}.png", f"{folder.format(2)}_2.png"]


def test_sidecars_and_contact_sheet(flux: Program, service: Start) -> None:
    service(with_files(count=2))
    run = flux(*DOWNLOAD, IDS[0], "--sidecar", "--contact-sheet").expect(ExitCode.OK)
    names = [f"{IDS[0]}_{n}.{kind}" for n in (1, 2) for kind in ("json", "png")]
    assert files(flux) == [*names, "index.html"]
    for number in (1, 2):
        sidecar = flux.folder / "out" / f"{IDS[0]}_{number}.json"
        own = {"outputs": [run.records[0]["outputs"][number - 1]]}
        assert json.loads(sidecar.read_bytes()) == run.records[0] | own
    page = (flux.folder / "out/index.html").read_text()
    assert f'src="./{IDS[0]}_2.png"' in page


def test_a_page_of_somebody_else_is_not_replaced(flux: Program, service: Start) -> None:
    server = service(with_files())
    out = flux.folder / "out"
    out.mkdir()
    (out / "index.html").write_text("<h1>mine</h1>")
    flux(*DOWNLOAD, IDS[0], "--contact-sheet").expect(
        ExitCode.USAGE, stderr="index.html: was not written by flux"
    )
    assert (files(flux), server.requests) == (["index.html"], [])
    (out / "index.html").unlink()
    for _ in range(2):
        flux(*DOWNLOAD, IDS[0], "--contact-sheet").expect(ExitCode.OK)


def test_a_later_run_adds_to_the_contact_sheet(flux: Program, service: Start) -> None:
    """Also a watch, and one that saves nothing new."""
    service(with_files())
    flux(*DOWNLOAD, IDS[0], "--contact-sheet").expect(ExitCode.OK)
    flux(*DOWNLOAD, IDS[1], "--contact-sheet").expect(ExitCode.OK)
    flux("tasks", "watch", "--download", "out", "--contact-sheet", IDS[2]).expect(ExitCode.OK)
    flux(*DOWNLOAD, IDS[0], "--contact-sheet").expect(ExitCode.OK, stderr="kept 1 existing")
    page = (flux.folder / "out/index.html").read_text()
    assert [page.count(f'src="./{i}_1.png"') for i in IDS] == [1, 1, 1]
    assert files(flux) == [*(f"{i}_1.png" for i in IDS), "index.html"]


def test_runs_at_once_make_one_contact_sheet(flux: Program, service: Start) -> None:
    service(with_files())
    ids = make_ids(24)
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(flux.start(*DOWNLOAD, "--contact-sheet", *ids[n : n + 6]))
            for n in range(0, 24, 6)
        ]
        for running in runs:
            running.end().expect(ExitCode.OK)
    page = (flux.folder / "out/index.html").read_text()
    assert [page.count(f'src="./{i}_1.png"') for i in ids] == [1] * 24
    assert leftovers(flux.folder) == []


def mixed(request: Request) -> list[Step]:
    """Answer: the first task has succeeded, the second failed, the third runs."""
    if request.path != "/flux/tasks":
        return whole(request)
    base = f"http://{request.headers['host']}"
    good = finished(IDS[0], response={"success": True, "data": [{"image_url": f"{base}/x"}]})
    return [reply(200, batch([good, failed(IDS[1]), running(IDS[2])]))]


@pytest.mark.parametrize(
    ("options", "code"), [((), ExitCode.OK), (("--exit-status",), ExitCode.TASK_FAILED)]
)
def test_tasks_without_outputs_are_told_of(
    flux: Program, service: Start, options: tuple[str, ...], code: ExitCode
) -> None:
    service(mixed)
    run = flux(*DOWNLOAD, *options, *IDS).expect(code, stderr="saved 1 file ")
    assert list(run.states.values()) == ["succeeded", "failed", "processing"]
    assert files(flux) == [f"{IDS[0]}_1.png"]


def test_csv_has_a_column_for_the_paths(flux: Program, service: Start) -> None:
    service(with_files(count=2))
    header, row = flux(*DOWNLOAD, IDS[0], "-o", "csv").expect(ExitCode.OK).lines
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["paths"] == f"out/{IDS[0]}_1.png|out/{IDS[0]}_2.png"


def test_quiet_is_quiet_but_for_what_fails(flux: Program, service: Start) -> None:
    service(with_files(lambda r: whole(r) if IDS[0] in r.path else [reply(404, b"")]))
    run = flux(*DOWNLOAD, "-q", *IDS[:2]).expect(ExitCode.OUTPUT)
    assert run.stderr == (f"flux: {IDS[1]}, output 1: not saved: the link has expired (HTTP 404)\n")


def test_a_line_for_each_file_without_a_terminal(flux: Program, service: Start) -> None:
    service(with_files())
    run = flux(*DOWNLOAD, *IDS).expect(ExitCode.OK)
    lines = run.stderr.splitlines()
    size = f"{len(PNG)} bytes"
    assert sorted(lines[:3]) == [f"saved out/{i}_1.png ({size})" for i in IDS]
    assert lines[3] == "3 tasks: 3 succeeded"
    assert lines[4].startswith(f"saved 3 files ({3 * len(PNG)} bytes in ")
    assert len(lines) == 5


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_bars_on_a_terminal_and_a_table_after_them(
    flux: Program, sandbox: Callable[..., Sandbox], columns: int
) -> None:
    server = sandbox()
    task = {"size": "64x64"}
    ids = [server.store.submit({**task, "prompt": f"picture {n}"}).id for n in range(12)]
    terminal = Terminal(flux, *DOWNLOAD, *ids, columns=columns, rows=30)
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    assert "12 of 12 tasks"[: columns // 4] in screen.sent.replace("\x1b", "")
    text = "".join(screen.lines)
    assert text.replace(" ", "").count("succeeded") == 13
    assert "saved 12 files" in text
    assert not screen.cursor_hidden
    assert len(files(flux)) == 12


def test_a_dumb_terminal_gets_lines(flux: Program, service: Start) -> None:
    service(with_files())
    screen = Terminal(flux, *DOWNLOAD, *IDS, TERM="dumb", columns=120).end()
    assert "\x1b" not in screen.sent
    assert sum(line.startswith("saved out/") for line in screen.lines) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--name", "../{id}"), '\'../{id}\' has an empty name, "." or ".."'),
        (("--max-size", "none"), "'none' is not a size (such as 500kB, 200MB or 1GiB)"),
        (("--max-size", "0"), "'0' is not a size"),
        (("--file-timeout", "0"), "'0' is not a duration from 1s to 24h"),
    ],
)
def test_bad_options_are_named(
    flux: Program, service: Start, options: tuple[str, ...], says: str
) -> None:
    server = service(with_files())
    flux(*DOWNLOAD, *options, IDS[0]).expect(ExitCode.USAGE, stderr=says)
    assert server.requests == []


@pytest.mark.parametrize("folder", ["a-file", "a-file/below", "\0"])
def test_a_folder_that_cannot_be(flux: Program, service: Start, folder: str) -> None:
    server = service(with_files())
    (flux.folder / "a-file").write_text("")
    folder = folder.replace("\0", "x" * 300)
    flux("tasks", "download", "-d", folder, IDS[0]).expect(
        ExitCode.OUTPUT, stderr="cannot be written"
    )
    assert server.requests == []


def test_a_watch_saves_what_lands(flux: Program, service: Start) -> None:
    looks: list[Request] = []

    def script(request: Request) -> list[Step]:
        if request.path != "/flux/tasks":
            return whole(request)
        looks.append(request)
        base = f"http://{request.headers['host']}"
        done = IDS[: len(looks)]
        data = {"success": True, "data": [{"image_url": f"{base}/x"}]}
        return [
            reply(
                200,
                batch(finished(i, response=data) if i in done else running(i) for i in request.ids),
            )
        ]

    service(script)
    run = flux(
        *("tasks", "watch", "--interval", "1s", "--download", "out", "--sidecar"),
        *("--contact-sheet", "--exec", "echo $FLUX_TASK_PATH > last; cat out/index.html || true"),
        *IDS,
    ).expect(ExitCode.OK, stderr="saved 3 files (")
    ends = [record for record in run.records if record["state"] == "succeeded"]
    assert [record["id"] for record in ends] == IDS
    assert [record["outputs"][0]["path"] for record in ends] == [f"out/{i}_1.png" for i in IDS]
    assert (flux.folder / "last").read_text() == f"out/{IDS[2]}_1.png\n"
    assert len(files(flux)) == 7
    assert leftovers(flux.folder) == []


def test_a_watch_that_cannot_save_says_so(flux: Program, service: Start) -> None:
    service(with_files(lambda _: [reply(410, b"")]))
    run = flux("tasks", "watch", "--download", "out", *IDS).expect(
        ExitCode.OUTPUT, stderr="in out; 3 expired"
    )
    assert [r["outputs"][0]["error"]["code"] for r in run.records] == ["expired"] * 3


def test_options_about_files_need_files(flux: Program, service: Start) -> None:
    service(with_files())
    flux("tasks", "watch", "--sidecar", IDS[0]).expect(
        ExitCode.USAGE, stderr="--sidecar only applies when files are saved. Add --download DIR."
    )


def test_the_live_view_goes_on_while_files_are_saved(flux: Program, service: Start) -> None:
    service(with_files(lambda r: whole(r) if IDS[0] not in r.path else [reply(404, b"")]))
    screen = Terminal(flux, "tasks", "watch", "--download", "out", *IDS, columns=250).end()
    assert screen.code == ExitCode.OUTPUT
    text = "\n".join(screen.lines)
    assert "not saved: the link has expired (HTTP 404)" in text
    assert f"out/{IDS[1]}_1.png" in text
    assert "saved 2 files" in text


def test_the_token_is_not_sent_to_where_the_files_are(flux: Program, service: Start) -> None:
    with FaultServer(whole) as elsewhere:
        service(with_files(url=f"{elsewhere.url}/{{id}}"))
        flux(*DOWNLOAD, "--debug", *IDS).expect(ExitCode.OK, stderr="> GET http://")
    assert len(elsewhere.requests) == 3
    for request in elsewhere.requests:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


def test_several_at_once_and_no_more_than_allowed(flux: Program, service: Start) -> None:
    server = service(with_files())
    ids = make_ids(40)
    flux(*DOWNLOAD, "--concurrency", "4", *ids).expect(ExitCode.OK)
    assert server.connections <= 1 + 4


def test_tasks_given_twice_are_saved_once(flux: Program, service: Start) -> None:
    server = service(with_files())
    run = flux(*DOWNLOAD, IDS[0], IDS[0].upper()).expect(ExitCode.OK, stderr="1 duplicate id")
    assert len(run.records) == 1
    assert len(server.requests) == 2


def test_help_names_every_field(flux: Program) -> None:
    text = " ".join(flux("tasks", "download", "--help").expect(ExitCode.OK).out.split())
    for field in ("{id}", "{n}", "{ext}", "{created:%Y-%m-%d}", "{model}", "{prompt}", "{seed}"):
        assert field in text
