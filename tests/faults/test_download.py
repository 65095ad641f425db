"""Files on their way: cut, changed, refused, endless, hostile. Whole or absent, always."""

import contextlib
import gzip
import itertools
import json
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from flux_cli.errors import ExitCode
from flux_cli.sandbox.files import content
from flux_cli.sandbox.server import Faults, Sandbox
from tests.support.fault_server import End, FaultServer, Request, Script, Step, Wait, reply
from tests.support.media import FILES
from tests.support.needs import need
from tests.support.patience import AT_ONCE, until
from tests.support.pictures import PNG, TAG, file_reply, leftovers, saved, whole, with_files
from tests.support.program import CANARY, FLUX, MEASURED_BY, Program, Run
from tests.support.records import make_ids
from tests.support.terminal import Terminal


Start = Callable[[Script], FaultServer]
IDS = make_ids(2)
DOWNLOAD = ("tasks", "download", "-d", "out")


def head_of(data: bytes) -> int:
    return data.index(b"\r\n\r\n") + 4


def cut(request: Request, bytes_of_body: int = 150) -> bytes:
    """Return the beginning of a good reply."""
    data = file_reply(request, PNG)
    return data[: head_of(data) + bytes_of_body]


def failing_once(*steps: Callable[[Request], Step]) -> tuple[Script, list[Request]]:
    """Return a script that fails the first request for a file, and the requests it saw."""
    seen: list[Request] = []

    def script(request: Request) -> list[Step]:
        seen.append(request)
        return [step(request) for step in steps] if len(seen) == 1 else whole(request)

    return script, seen


@pytest.mark.parametrize("end", End)
def test_a_cut_file_is_resumed(flux: Program, service: Start, end: End) -> None:
    script, seen = failing_once(cut, lambda _: Wait(0.2), lambda _: end)
    service(with_files(script))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == PNG
    assert "range" not in seen[0].headers
    assert (seen[1].headers["range"], seen[1].headers["if-range"]) == ("bytes=150-", TAG)


def test_a_server_that_knows_no_ranges_sends_all_again(flux: Program, service: Start) -> None:
    script, seen = failing_once(cut, lambda _: Wait(0.2), lambda _: End.CLOSE)
    service(with_files(lambda r: script(r) if not seen else [reply(200, PNG)]))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == PNG


def test_a_file_that_changes_meanwhile_is_not_mixed(flux: Program, service: Start) -> None:
    script, seen = failing_once(cut, lambda _: Wait(0.2), lambda _: End.CLOSE)
    other = FILES["gif"]  # type: ignore[index]
    service(with_files(lambda r: script(r) if not seen else [file_reply(r, other, '"new"')]))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == other


@pytest.mark.parametrize(
    "second",
    [
        reply(206, PNG[100:], content_range=f"bytes 100-{len(PNG) - 1}/{len(PNG)}", etag=TAG),
        reply(206, PNG[150:], content_range="bytes 150-200/9999", etag=TAG),
        reply(206, PNG[150:], content_range="nonsense"),
        reply(206, PNG[100:], content_range=f"bytes 100-{len(PNG) - 1}/{len(PNG) + 50}", etag=TAG),
        reply(416, b""),
    ],
    ids=["another part", "another size", "no range", "a part that lies", "refused"],
)
def test_a_wrong_part_is_not_taken(flux: Program, service: Start, second: bytes) -> None:
    script, seen = failing_once(cut, lambda _: Wait(0.2), lambda _: End.CLOSE)

    def file(request: Request) -> list[Step]:
        if len(seen) == 1:
            seen.append(request)
            return [second]
        return list(script(request))

    service(with_files(file))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == PNG


def test_a_part_that_ends_like_a_file_is_not_the_file(flux: Program, service: Start) -> None:
    gif = FILES["gif"][:-1] + b"\0" * 100 + b";" + b"\1" * 100 + b";"  # type: ignore[index]
    early = gif.index(b";\1") + 1
    replies: list[list[Step]] = [
        [file_reply(Request("/", {}, {}, 0.0), gif)[: -len(gif) + 70], Wait(0.2), End.CLOSE],
        [reply(206, gif[70:early], content_range=f"bytes 70-{early - 1}/{len(gif)}", etag=TAG)],
    ]
    service(with_files(lambda r: replies.pop(0) if replies else [file_reply(r, gif)]))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == gif


@pytest.mark.parametrize("retries", ["0", "3"])
def test_a_file_of_the_right_length_without_its_end_is_fetched_once_more(
    flux: Program, service: Start, retries: str
) -> None:
    script, seen = failing_once(lambda _: reply(200, PNG[:-20] + b"\0" * 20))
    service(with_files(script))
    run = flux(*DOWNLOAD, "--retries", retries, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == PNG
    assert len(seen) == 2
    assert "range" not in seen[1].headers


@pytest.mark.parametrize(
    "data",
    [PNG[:-9], FILES["gif"][:-1], FILES["jpg"][:-2], FILES["mp4"] + b"\0\0"],  # type: ignore[index]
    ids=["png", "gif", "jpg", "mp4"],
)
def test_what_comes_twice_the_same_in_its_full_length_is_what_there_is(
    flux: Program, service: Start, data: bytes
) -> None:
    seen: list[Request] = []

    def file(request: Request) -> list[Step]:
        seen.append(request)
        return [reply(200, data)]

    service(with_files(file))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == data
    assert len(seen) == 2


def test_what_comes_after_the_end_does_no_harm_without_a_length(
    flux: Program, service: Start
) -> None:
    data = FILES["jpg"] + b"a film of the moment" * 10_000  # type: ignore[index]
    service(with_files(always(b"HTTP/1.1 200 OK\r\n\r\n" + data, End.CLOSE)))
    run = flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert saved(run, flux.folder)[0].read_bytes() == data


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_trouble_that_passes(flux: Program, service: Start, status: int) -> None:
    script, seen = failing_once(lambda _: reply(status, b"<html>"))
    service(with_files(script))
    flux(*DOWNLOAD, IDS[0]).expect(ExitCode.OK)
    assert len(seen) == 2


def endless(request: Request) -> Iterator[Step]:
    """Send a picture that never ends, as fast as it is taken."""
    del request
    yield b"HTTP/1.1 200 OK\r\n\r\n" + PNG[:8]
    for _ in itertools.repeat(None):
        yield b"\xff\xff\x00\x00tEXt" * 8192


def drip(request: Request) -> Iterator[Step]:
    """Send a picture byte by byte, for ever."""
    del request
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n" + PNG[:70]
    for _ in itertools.repeat(None):
        yield b"\0"
        yield Wait(0.02)


def ten_gigabytes(request: Request) -> list[Step]:
    del request
    return [b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n" + PNG[:70], Wait(20)]


def always(*steps: Step) -> Script:
    return lambda _: list(steps)


def damaged() -> Script:
    """Send the picture without its end, in as many bytes as announced, differently each time."""
    count = itertools.count()
    return lambda _: [reply(200, PNG[: -9 - next(count)])]


def redirect(location: str) -> Script:
    return always(reply(302, b"", location=location))


ENDLESS_FILM = FILES["mp4"].replace(b"\0\0\1\x34mdat", b"\0\0\0\0mdat")  # type: ignore[index]
QUICK = ("--retries", "1", "--request-timeout", "2s")  # the good file is to come in time
EXPIRED = "the link has expired (HTTP {})"
PAGE = b"<!doctype html><html><title>Log in</title>" + b" " * 100
REFUSALS: list[tuple[str, Script, str, str]] = [
    ("expired 403", always(reply(403, b"")), "expired", EXPIRED.format(403)),
    ("expired 404", always(reply(404, b"")), "expired", EXPIRED.format(404)),
    ("expired 410", always(reply(410, b"")), "expired", EXPIRED.format(410)),
    ("unauthorized", always(reply(401, b"")), "http_401", "answered HTTP 401"),
    ("no content", always(reply(204, b"")), "http_204", "answered HTTP 204"),
    ("500 always", always(reply(500, b"")), "http_500", "answered HTTP 500"),
    ("html as png", always(reply(200, PAGE, content_type="image/png")), "not_media", "a web page"),
    ("svg", always(reply(200, b"<svg>" + b" " * 99)), "not_media", "a web page, not an image"),
    ("text", always(reply(200, b"x" * 99)), "not_media", "it is not an image or a video"),
    ("empty", always(reply(200, b"")), "not_media", "it is not an image or a video"),
    ("damaged", damaged(), "damaged", "truncated, differently each time"),
    (
        "shortened without a length",
        always(b"HTTP/1.1 200 OK\r\n\r\n" + PNG[:-9], End.CLOSE),
        "reply_cut",
        "the file is truncated",
    ),
    (
        "a film of any length without one",
        always(b"HTTP/1.1 200 OK\r\n\r\n" + ENDLESS_FILM, End.CLOSE),
        "reply_cut",
        "the file is truncated",
    ),
    (
        "compressed",
        always(reply(200, gzip.compress(PNG), content_encoding="gzip")),
        "encoded",
        "a compression that flux did not ask for",
    ),
    ("ten gigabytes", ten_gigabytes, "too_large", "it is larger than 1,000,000 bytes"),
    ("without end", endless, "too_large", "it is larger than 1,000,000 bytes (--max-size)"),
    ("drip", drip, "timeout", "no complete reply within 2 seconds"),
    (
        "stall",
        always(cut(Request("/", {}, {}, 0.0)), Wait(20)),
        "timeout",
        "no complete reply within",
    ),
    ("to a file", redirect("file:///etc/passwd"), "forbidden_link", "with https:// (file:)"),
    ("to ftp", redirect("ftp://example.com/x"), "forbidden_link", "(ftp:)"),
    ("to data", redirect("data:image/png;base64,AAAA"), "forbidden_link", "(data:)"),
    ("to plain http", redirect("http://192.0.2.1/x.png"), "forbidden_link", "(http:)"),
    ("to nowhere", redirect("https:///x"), "forbidden_link", "no host"),
    (
        "to a user",
        redirect("https://user:word@example.com/"),
        "forbidden_link",
        "contains a user name",
    ),
    ("to nonsense", redirect("https://[::1"), "forbidden_link", "is not a URL"),
    ("to no host", redirect("https://xn--/"), "forbidden_link", "is not a URL"),
    ("to no label", redirect("//a..b/"), "forbidden_link", "is not"),
    ("round and round", redirect("/again"), "redirects", "too many redirects (more than 5)"),
    ("redirect without a place", always(reply(302, b"")), "http_302", "answered HTTP 302"),
]


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_what_is_refused_is_absent_and_said(
    flux: Program, service: Start, script: Script, code: str, says: str
) -> None:
    service(with_files(lambda r: script(r) if IDS[0] in r.path or "again" in r.path else whole(r)))
    run = flux(*DOWNLOAD, *QUICK, "--max-size", "1MB", *IDS).expect(ExitCode.OUTPUT, stderr=says)
    bad, good = (record["outputs"][0] for record in run.records)
    assert (bad["path"], bad["bytes"], bad["sha256"]) == (None, None, None)
    assert bad["error"]["code"] == code
    assert [path.name for path in (flux.folder / "out").iterdir()] == [Path(good["path"]).name]


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://example.com/x", "http://example.com/x", "javascript:1"),
        *("//example.com/x", "x", "https://", "https://a:b@example.com/", "https://[::1", "\0"),
        *("https://xn--/x.png", "https://a..b/", "https://.a/", "https://a.example:99999/"),
        *("https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::1]:{port}/"),
        *("https://0.0.0.0:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://127.1:{port}/"),
        *("https://2130706433:{port}/", "https://0x7f.1:{port}/", "https://localhost.:{port}/"),
        *("https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest"),
        *(
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://100.64.0.1/",
            "https://[64:ff9b::a00:1]/",
        ),
    ],
)
def test_a_link_into_the_network_is_not_followed(flux: Program, url: str) -> None:
    """The service is a public one here; its links must not reach this machine or its neighbours."""
    with FaultServer(whole) as inside:
        url = url.format(port=inside.url.rpartition(":")[2])
        record = {
            "id": IDS[0],
            "state": "succeeded",
            "observed_at": "2026-11-23T00:00:00Z",
            "outputs": [{"url": url, "kind": "image"}],
        }
        run = flux(*DOWNLOAD, "--retries", "0", stdin=json.dumps(record))
        run.expect(ExitCode.OUTPUT, stderr="not saved: ")
        assert inside.connections == 0
    assert run.records[0]["outputs"][0]["error"]["code"] in ("forbidden_link", "forbidden_address")
    assert list((flux.folder / "out").iterdir()) == []


TRAVERSAL = [
    *("../../../etc/x", "/etc/x", "..\\..\\x", "a/../../b", "~root/x"),
    *("CON", "x\0y", "\x1b[2J"),
]


@pytest.mark.parametrize("text", TRAVERSAL)
def test_no_field_leads_out_of_the_folder(flux: Program, service: Start, text: str) -> None:
    request = {"model": text, "prompt": text * 40, "action": text, "size": text}
    service(with_files(url="{base}/" + "..%2f..%2fx.sh?{id}", request=request, type=text))
    run = flux(
        *(*DOWNLOAD, "--name", "{model}/{prompt}/{seed}{state}"),
        *("--sidecar", "--contact-sheet", IDS[0]),
    ).expect(ExitCode.OK)
    (path,) = saved(run, flux.folder)
    out = flux.folder / "out"
    assert path.resolve().is_relative_to(out.resolve())
    assert len(path.relative_to(out).parts) == 3
    assert {p.name for p in flux.folder.iterdir()} <= {"out", "tmp", "config"}


def test_a_link_that_the_user_laid_out_of_the_folder_is_not_followed(
    flux: Program, service: Start
) -> None:
    service(with_files())
    (flux.folder / "elsewhere").mkdir()
    (flux.folder / "out").mkdir()
    (flux.folder / "out/flux-dev").symlink_to(flux.folder / "elsewhere")
    run = flux(*DOWNLOAD, "--name", "{model}/{id}", IDS[0]).expect(
        ExitCode.OUTPUT, stderr="leads outside the folder"
    )
    assert run.records[0]["outputs"][0]["error"]["code"] == "outside"
    assert list((flux.folder / "elsewhere").iterdir()) == []


def test_a_name_that_is_taken_concerns_that_file_alone(flux: Program, service: Start) -> None:
    service(with_files())
    ids = make_ids(40)
    out = flux.folder / "out"
    (out / f"{ids[7]}_1.png").mkdir(parents=True)
    (out / f".{ids[9]}_1.part").mkdir()
    (out / f"{ids[11]}_1.json").mkdir()
    run = flux(*DOWNLOAD, "--sidecar", "--overwrite", *ids)
    run.expect(
        ExitCode.OUTPUT,
        stderr=f"flux: {ids[7]}, output 1: not saved: out/{ids[7]}_1.png:"
        " cannot be written: Is a directory\n",
    )
    assert "saved 38 files" in run.stderr
    assert run.stderr.count("not saved: ") == 3
    assert f"{ids[11]}, sidecar: not saved: out/{ids[11]}_1.json: cannot be " in run.stderr
    assert len(saved(run, flux.folder)) == 38
    errors = {r["id"] for r in run.records if r["outputs"][0]["error"] is not None}
    assert errors == {ids[7], ids[9]}
    assert len([path for path in out.glob("*.json") if path.is_file()]) == 37


@pytest.mark.parametrize("kind", ["file", "loop"])
def test_a_folder_below_that_cannot_be_concerns_its_files_alone(
    flux: Program, service: Start, kind: str
) -> None:
    service(with_files(count=3))
    out = flux.folder / "out"
    out.mkdir()
    if kind == "file":
        (out / "2").write_text("")
    else:
        (out / "2").symlink_to("2")
    run = flux(*DOWNLOAD, "--name", "{seed}/{id}_{n}", *IDS)
    run.expect(ExitCode.OUTPUT, stderr="; 2 not saved")
    assert len(saved(run, flux.folder)) == 4


def test_a_dead_host_is_left_alone_and_does_not_stop_the_others(
    flux: Program, service: Start
) -> None:
    with FaultServer(always(End.RESET)) as dead:
        script = with_files()

        def tasks(request: Request) -> list[Step]:
            steps = list(script(request))
            if request.path == "/flux/tasks":
                (step,) = steps
                assert isinstance(step, bytes)
                base = f"http://{request.headers['host']}"
                _, _, body = step.partition(b"\r\n\r\n")
                old = f"{base}/00000000-0000-00".encode()
                return [reply(200, body.replace(old + b"2", f"{dead.url}/0".encode()))]
            return steps

        service(tasks)
        ids = [*make_ids(5), *make_ids(15, start=0x20), *make_ids(5, start=0x30)]
        run = flux(*DOWNLOAD, "--retries", "1", *ids)
        run.expect(ExitCode.OUTPUT)
        assert len(saved(run, flux.folder)) == 10
        assert 0 < dead.connections <= 16 + 8


def test_a_full_disk_ends_it_with_everything_said(flux: Program, service: Start) -> None:
    need("bash")
    big = PNG[:-12] + b"\0\1\0\0tEXt" + b"x" * 65540 + PNG[-12:]
    service(with_files(always(reply(200, big))))
    command = f'ulimit -f 40; exec "{FLUX}" tasks download -d out {" ".join(IDS)}'
    environment = flux.variables(dict.fromkeys(MEASURED_BY)) | {"PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        cwd=flux.folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == ExitCode.OUTPUT, run.stderr
    assert "cannot be written: File too large" in run.stderr
    assert [json.loads(line)["id"] for line in run.stdout.splitlines()] == IDS
    assert "Traceback" not in run.stderr
    assert list((flux.folder / "out").iterdir()) == []


def has_small_disks() -> bool:
    """Tell whether this system lets us mount a small disk that nobody else sees."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not has_small_disks(), reason="needs a small disk of its own")
def test_a_disk_that_is_full_is_the_reason_for_every_file_that_is_missing(
    flux: Program, service: Start
) -> None:
    """On a real disk of 64 KiB, with files of 20 KiB: three have room."""
    big = PNG[:-12] + b"\0\0\x50\0tEXt" + b"x" * 0x5004 + PNG[-12:]
    server = service(with_files(always(reply(200, big))))
    ids = make_ids(40)
    (flux.folder / "out").mkdir()
    command = 'mount -t tmpfs -o size=64k none out && "$@"; code=$?; ls -A out >&2; exit $code'
    finished = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, "sh", FLUX, *DOWNLOAD, "-q", "--sidecar", *ids],
        env=flux.variables(dict.fromkeys(MEASURED_BY)),
        cwd=flux.folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    run = flux.check(
        Run(("download",), finished.returncode, finished.stdout, finished.stderr.decode())
    )
    run.expect(ExitCode.OUTPUT, stderr="cannot be written: No space left on device")
    assert [record["id"] for record in run.records] == ids
    good = [r["outputs"][0]["path"] for r in run.records if r["outputs"][0]["path"]]
    errors = {
        r["id"]: r["outputs"][0]["error"]["message"]
        for r in run.records
        if not r["outputs"][0]["path"]
    }
    assert len(good) <= 3
    for task_id, message in errors.items():
        own = f"out/{task_id}_1: cannot be written: No space left on device"
        assert message == own or re.fullmatch(
            r"stopped: out/.*: cannot be written: No space left on device", message
        )
    assert len(server.requests) < 40
    assert ".part" not in run.stderr
    listed = set(run.stderr.splitlines())
    assert {Path(path).name for path in good} <= listed


@pytest.mark.parametrize("words", [("download", "-d"), ("watch", "--download")])
def test_a_proxy_that_cannot_be_used_is_named(
    flux: Program, service: Start, words: tuple[str, str]
) -> None:
    """The service is on this machine and needs none; the files are elsewhere."""
    service(with_files(url="https://pictures.example/{id}"))
    run = flux("tasks", *words, "out", *IDS, HTTPS_PROXY="socks5://127.0.0.1:1")
    run.expect(ExitCode.USAGE, stderr="HTTPS_PROXY: unsupported proxy")
    assert sorted(run.states) == IDS
    assert leftovers(flux.folder) == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("watch -o csv", ExitCode.OK, "2 tasks: 2 succeeded"),
        ("download -d out", ExitCode.OUTPUT, "cannot be written: "),
        ("download -d out --contact-sheet", ExitCode.OUTPUT, "cannot be written: "),
    ],
)
def test_a_disk_without_room(
    flux: Program, service: Start, words: str, code: ExitCode, says: str
) -> None:
    """What is kept for the end needs no disk while there is memory for it."""
    need("bash")
    service(with_files())
    records = flux("tasks", "check", *IDS).stdout
    run = subprocess.run(
        [
            "bash",
            "-c",
            f'ulimit -f 0; export PYTHONDONTWRITEBYTECODE=1; exec "{FLUX}" tasks {words}',
        ],
        env=flux.variables(dict.fromkeys(MEASURED_BY)),
        cwd=flux.folder,
        capture_output=True,
        input=records,
        check=False,
        timeout=60,
    )
    error = run.stderr.decode()
    assert run.returncode == code, error
    assert says in error
    assert "Traceback" not in error
    assert all(task_id in run.stdout.decode() for task_id in IDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_half_done(
    flux: Program, service: Start, number: signal.Signals
) -> None:
    script = with_files(lambda r: whole(r) if IDS[0] in r.path else [cut(r), Wait(20)])
    server = service(script)
    first = flux.folder / "out" / f"{IDS[0]}_1.png"
    with flux.start(*DOWNLOAD, *IDS) as running:
        until(lambda: len(server.requests) >= 3 and first.exists())
        assert running.signal(number) < AT_ONCE
        run = running.end()
    run.expect(ExitCode.INTERRUPTED if number is signal.SIGINT else ExitCode.TERMINATED)
    assert list(run.states) == IDS
    assert run.records[1]["outputs"][0]["error"]["message"] == "interrupted"
    assert leftovers(flux.folder) == []
    assert [p.name for p in (flux.folder / "out").iterdir()] == [f"{IDS[0]}_1.png"]


def test_an_interrupt_on_a_terminal_leaves_a_table(flux: Program, service: Start) -> None:
    service(with_files(lambda r: whole(r) if IDS[0] in r.path else [cut(r), Wait(20)]))
    terminal = Terminal(flux, *DOWNLOAD, *IDS, columns=120, gets_signals=True)
    terminal.expect("1 of 2 tasks")
    terminal.type("\x03")
    screen = terminal.end()
    assert screen.code == ExitCode.INTERRUPTED
    assert not screen.cursor_hidden
    text = "\n".join(line for line in screen.lines if line)
    assert text.count("succeeded") == 3
    assert "not saved: interrupted" in text
    assert "━" not in text  # no bar is left
    assert "flux: interrupted after 2 of 2 tasks. Run the same command again" in text


def test_an_interrupted_watch_leaves_nothing_half_done(flux: Program, service: Start) -> None:
    server = service(with_files(lambda r: whole(r) if IDS[0] in r.path else [cut(r), Wait(20)]))
    first = flux.folder / "out" / f"{IDS[0]}_1.png"
    with flux.start("tasks", "watch", "--download", "out", *IDS) as running:
        until(lambda: len(server.requests) >= 3 and first.exists())
        assert running.signal(signal.SIGINT) < AT_ONCE
        run = running.end().expect(ExitCode.INTERRUPTED)
    assert sorted(run.states) == IDS
    assert leftovers(flux.folder) == []


def test_two_runs_at_once_harm_nothing(flux: Program, sandbox: Callable[..., Sandbox]) -> None:
    server = sandbox(faults=Faults(latency=0.02))
    ids = [server.store.submit({"prompt": f"{n}"}).id for n in range(40)]
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(flux.start(*DOWNLOAD, *ids)) for _ in range(2)]
        runs = [running.end().expect(ExitCode.OK) for running in both]
    for run in runs:
        assert len(saved(run, flux.folder)) == 40
    assert len(list((flux.folder / "out").iterdir())) == 40


def expected_files(server: Sandbox) -> dict[str, bytes]:
    """Return what has to be in each file, by name."""
    return {
        f"{task.id}_{n}.png": content(task, file)
        for task in server.store.newest()
        for n, file in enumerate(task.files, 1)
    }


def test_a_thousand_files_on_a_bad_day(flux: Program, sandbox: Callable[..., Sandbox]) -> None:
    """One exchange in ten is cut, reset, of a wrong type or an error: whole or reported."""
    server = sandbox(faults=Faults(error_rate=0.1))
    ids = [
        server.store.submit({"prompt": f"{n}", "size": "64x64", "count": 4}).id for n in range(250)
    ]
    expected = expected_files(server)
    out = flux.folder / "out"
    run = flux(*DOWNLOAD, *ids)
    assert [record["id"] for record in run.records] == ids
    reported = sum(o["error"] is not None for r in run.records for o in r["outputs"])
    assert 0 < reported < 100
    assert len(saved(run, flux.folder)) == 1000 - reported
    for _ in range(9):
        assert {path.name: path.read_bytes() for path in out.iterdir()}.items() <= expected.items()
        if run.code == ExitCode.OK:
            break
        run = flux(*DOWNLOAD, *ids)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_killed_at_any_instant_no_name_is_a_partial_file(
    flux: Program, sandbox: Callable[..., Sandbox]
) -> None:
    """A hundred kills; the run after them finishes the rest."""
    server = sandbox(faults=Faults(latency=0.02))
    ids = [server.store.submit({"prompt": f"{n}", "size": "64x64"}).id for n in range(300)]
    expected = expected_files(server)
    out = flux.folder / "out"
    chance = random.Random(7)
    killed = 0
    while killed < 100:
        some = [str(task_id) for task_id in chance.sample(ids, 50)]
        with flux.start(*DOWNLOAD, "--overwrite", "--sidecar", *some) as running:
            time.sleep(chance.uniform(0.1, 0.3))
            killed += running.process.poll() is None
            running.process.kill()
            running.process.communicate()
        for path in out.iterdir() if out.exists() else ():
            if not path.name.startswith("."):
                if path.suffix == ".json":
                    json.loads(path.read_bytes())
                else:
                    assert path.read_bytes() == expected[path.name]
    flux(*DOWNLOAD, "--sidecar", *ids).expect(ExitCode.OK)
    assert {p.name: p.read_bytes() for p in out.glob("*.png")} == expected
    assert leftovers(flux.folder) == []


@contextlib.contextmanager
def tunnel(port: int) -> Iterator[str]:
    """Run a proxy that leads every tunnel to `port` of this machine; give its URL."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            copy(client, server)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_public_host_cannot_lead_to_this_machine(flux: Program) -> None:
    """Over TLS and through a proxy: the first link is good, the second leads inside."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.example").configure_cert(context)
    authority.cert_pem.write_to_path(flux.folder / "authority.pem")
    with contextlib.ExitStack() as stack:
        inside = stack.enter_context(FaultServer(whole))

        def script(request: Request) -> list[Step]:
            if request.path == "/good":
                return whole(request)
            return [reply(302, b"", location=f"https://127.0.0.1:{inside.url.split(':')[2]}/")]

        outside = stack.enter_context(FaultServer(script, tls=context))
        proxy = stack.enter_context(tunnel(int(outside.url.rpartition(":")[2])))
        records = [
            {
                "id": task_id,
                "state": "succeeded",
                "observed_at": "2026-11-23T00:00:00Z",
                "outputs": [{"url": f"https://pictures.example/{path}", "kind": "image"}],
            }
            for task_id, path in zip(IDS, ("good", "bad"), strict=True)
        ]
        run = flux(
            *DOWNLOAD,
            stdin="\n".join(map(json.dumps, records)),
            HTTPS_PROXY=proxy,
            SSL_CERT_FILE=str(flux.folder / "authority.pem"),
        ).expect(ExitCode.OUTPUT, stderr="127.0.0.1 is a private address")
        assert len(saved(run, flux.folder)) == 1
        assert inside.connections == 0
        assert sorted(request.path for request in outside.requests) == ["/bad", "/good"]
        assert all("authorization" not in request.headers for request in outside.requests)


def test_no_name_of_a_file_spells_the_token(flux: Program, service: Start) -> None:
    """The service sends it in pieces, between which a name puts dashes."""
    prompt = CANARY.replace("-", " ")
    service(with_files(request={"action": "generate", "prompt": prompt}))
    options = ("--name", "{prompt}", "--sidecar", "--contact-sheet")
    run = flux(*DOWNLOAD, IDS[0], *options).expect(ExitCode.OK)
    (path,) = saved(run, flux.folder)
    assert path.name.startswith("[token]")
    assert not [path for path in (flux.folder / "out").iterdir() if CANARY in path.name]
    assert CANARY not in (flux.folder / "out" / "index.html").read_text()
