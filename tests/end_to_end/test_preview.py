"""Pictures in the terminal: asked for, fetched, drawn, and read back."""

import io
import threading
from collections.abc import Iterable

import pytest
from PIL import Image

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.support.fault_server import Request, Script, Step, Wait, reply
from tests.support.needs import need
from tests.support.pictures import with_files
from tests.support.program import FLUX, Program
from tests.support.records import batch, finished, running
from tests.support.screen_pictures import (
    block_picture,
    iterm_pictures,
    kitty_pictures,
    make_picture,
    sixel_pictures,
)
from tests.support.terminal import Screen, Terminal


SHOW = ("tasks", "show", "a-1")
QUESTION = "\x1b[c"
KITTY = "\x1b_Gi=31;OK\x1b\\"
ITERM = "\x1bP>|iTerm2 3.5.0\x1b\\"
PLAIN, WITH_SIXEL = "\x1b[?62;22c", "\x1b[?62;4;22c"
PICTURE = make_picture()


def encoded(kind: str, picture: Image.Image = PICTURE) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


PNG = encoded("PNG")


def serving(data: bytes, **changes: int) -> Script:
    """Return a service whose tasks have made the picture in `data`."""
    return with_files(lambda _: [reply(200, data)], **changes)  # type: ignore[arg-type]


def shown(flux: Program, answer: str | None, *arguments: str, **changes: str | None) -> Screen:
    """Return what flux shows on a terminal that answers a question with `answer`."""
    terminal = Terminal(flux, *SHOW, *arguments, variables=changes)
    if answer is not None:
        terminal.expect(QUESTION)
        terminal.type(answer)
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    return screen


def without_pillow(flux: Program) -> None:
    """Have flux run as where Pillow is not installed."""
    folder = flux.folder / "no-pillow"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['PIL'] = None\n")
    flux.environment["PYTHONPATH"] = str(folder)


def test_kitty_is_sent_the_png_as_it_is(flux: Program, service: Start) -> None:
    service(serving(PNG, count=2))
    without_pillow(flux)
    screen = shown(flux, KITTY + PLAIN)
    assert [picture.data for picture in kitty_pictures(screen.sent)] == [PNG, PNG]
    keys = kitty_pictures(screen.sent)[0].keys
    assert (keys["a"], keys["f"], keys["c"], keys["r"]) == ("T", "100", "6", "2")


def test_a_large_picture_goes_to_kitty_in_pieces_and_fits_the_window(
    flux: Program, service: Start
) -> None:
    data = encoded("PNG", Image.effect_noise((3000, 700), 200))
    service(serving(data))
    (picture,) = kitty_pictures(shown(flux, KITTY + PLAIN).sent)
    assert picture.data == data
    assert (picture.keys["c"], picture.keys["r"]) == ("80", "9")


def test_kitty_gets_a_jpeg_as_png(flux: Program, service: Start) -> None:
    service(serving(encoded("JPEG", make_picture(64, 48))))
    (picture,) = kitty_pictures(shown(flux, KITTY + PLAIN).sent)
    assert Image.open(io.BytesIO(picture.data), formats=["PNG"]).size == (64, 48)


def test_iterm_is_sent_any_file_as_it_is(flux: Program, service: Start) -> None:
    data = encoded("JPEG")
    service(serving(data))
    without_pillow(flux)
    (picture,) = iterm_pictures(shown(flux, ITERM + WITH_SIXEL).sent)
    assert picture.data == data
    assert (picture.keys["width"], picture.keys["height"]) == ("6", "2")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_sixels_are_the_pixels_of_the_file(flux: Program, service: Start, kind: str) -> None:
    picture = PICTURE.quantize(4) if kind == "GIF" else PICTURE
    file = io.BytesIO()
    picture.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    service(serving(file.getvalue()))
    (drawn,) = sixel_pictures(shown(flux, WITH_SIXEL).sent)
    assert drawn.size == PICTURE.size
    assert drawn.tobytes() == PICTURE.tobytes()


@pytest.mark.parametrize("colours", ["truecolor", None])
@pytest.mark.parametrize("answer", [PLAIN, None, "\x1b[?999"])
def test_any_other_terminal_gets_half_blocks(
    flux: Program, service: Start, answer: str | None, colours: str | None
) -> None:
    service(serving(PNG))
    screen = shown(flux, answer, COLORTERM=colours)
    assert ("38;2;" in screen.sent) == (colours is not None)
    drawn = block_picture(screen.sent, 80, 100)
    assert drawn.size == PICTURE.size
    assert drawn.tobytes() == PICTURE.tobytes()


@pytest.mark.parametrize("columns", [20, 80])
@pytest.mark.parametrize("method", ["kitty", "iterm", "sixel", "blocks"])
def test_no_picture_is_larger_than_the_window(
    flux: Program, service: Start, method: str, columns: int
) -> None:
    service(serving(encoded("PNG", make_picture(2000, 1500))))
    screen = Terminal(flux, *SHOW, "--preview", method, columns=columns, rows=16).end()
    assert QUESTION not in screen.sent
    match method:
        case "kitty":
            keys = kitty_pictures(screen.sent)[0].keys
            size = int(keys["c"]), int(keys["r"])
        case "iterm":
            keys = iterm_pictures(screen.sent)[0].keys
            size = int(keys["width"]), int(keys["height"])
        case "sixel":
            width, height = sixel_pictures(screen.sent)[0].size
            size = -(-width // 10), -(-height // 20)
        case _:
            width, height = block_picture(screen.sent, columns, 100).size
            size = width, height // 2
    assert size == ((20, 8) if columns == 20 else (35, 13)) or method == "blocks"
    assert size[0] <= columns
    assert size[1] <= 13


@pytest.mark.parametrize(
    "changes", [{"TERM": "dumb"}, {"TERM": "linux"}, {"TERM": ""}, {"NO_COLOR": "1"}]
)
def test_where_it_makes_no_sense_nothing_is_asked_or_drawn(
    flux: Program, service: Start, changes: dict[str, str]
) -> None:
    service(serving(PNG))
    screen = shown(flux, PLAIN if "NO_COLOR" in changes else None, **changes)
    assert (QUESTION in screen.sent) == ("NO_COLOR" in changes)
    assert ("▀" in screen.sent) == (changes.get("TERM") in ("linux", ""))


def test_nothing_is_asked_when_ids_come_from_a_pipe(flux: Program, service: Start) -> None:
    """stdin is no terminal then: an answer could not be read, and would be typed to the shell."""
    need("bash")
    service(serving(PNG))
    (flux.folder / "ids.txt").write_text("a-1")
    screen = Terminal(flux, command=f"exec {FLUX} tasks show < ids.txt").end()
    assert QUESTION not in screen.sent
    assert "▀" in screen.sent


def test_off_draws_nothing_and_asks_nothing(flux: Program, service: Start) -> None:
    server = service(serving(PNG))
    screen = shown(flux, None, "--preview", "off")
    assert "\x1b_G" not in screen.sent
    assert QUESTION not in screen.sent
    assert [request.path for request in server.requests] == ["/flux/tasks"]


def test_without_pillow_one_sentence_says_how_to_add_it(flux: Program, service: Start) -> None:
    service(serving(PNG, count=3))
    without_pillow(flux)
    text = " ".join(shown(flux, PLAIN).sent.split())
    assert text.count("-m pip install 'flux-tasks[preview]'") == 1
    for method in ("sixel", "blocks"):
        flux.outside(*SHOW, "-o", "card", "--preview", method).expect(
            ExitCode.USAGE, stderr="-m pip install 'flux-tasks[preview]'"
        )
    service(serving(encoded("JPEG"), count=2))
    text = " ".join(shown(flux, KITTY + PLAIN).sent.replace("\r\n", "").split())
    assert text.count("flux-tasks[preview]") == 1
    assert text.count("no preview of output") == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PNG[:120], "it is damaged"),
        (PNG[:16] + b"\x7f\xff\xff\xff" * 2 + PNG[24:], "it has too many pixels"),
        (PNG[:16] + b"\0\0\x60\0\0\0\x60\0" + PNG[24:], "it has too many pixels"),
        (b"<html>\x1b[2J" + b" " * 100, "it is not a picture that flux recognises"),
        (b"", "it is not a picture that flux recognises"),
    ],
)
def test_what_is_no_picture_is_named_and_the_card_stands(
    flux: Program, service: Start, data: bytes, reason: str
) -> None:
    service(serving(data))
    run = flux(*SHOW, "-o", "card", "--preview", "blocks").expect(ExitCode.OK)
    assert run.stderr == f"flux: no preview of output 1 of a-1: {reason}.\n"
    assert run.lines[0] == "✓ succeeded  a-1"
    assert b"\x1b" not in run.stdout


def test_the_picture_is_fetched_as_downloads_are(flux: Program, service: Start) -> None:
    """No token, and no address inside this network for a service that is not there."""
    server = service(serving(PNG))
    flux(*SHOW, "-o", "card", "--preview", "kitty").expect(ExitCode.OK)
    assert "authorization" not in server.requests[1].headers

    def expired(request: Request) -> list[Step]:
        del request
        return [reply(410, b"")]

    service(with_files(expired))
    flux(*SHOW, "-o", "card", "--preview", "kitty").expect(
        ExitCode.OK, stderr="no preview of output 1 of a-1: the link has expired"
    )
    service(with_files(url="http://10.0.0.1/{id}.png"))
    flux(*SHOW, "-o", "card", "--preview", "kitty").expect(
        ExitCode.OK, stderr="no preview of output 1 of a-1: the link does not start with https://"
    )


def test_a_preview_goes_with_a_card_alone(flux: Program) -> None:
    flux(*SHOW, "--preview", "blocks").expect(ExitCode.USAGE, stderr="Add -o card")


def test_a_picture_goes_through_a_pipe_where_it_is_asked_for(flux: Program, service: Start) -> None:
    service(serving(PNG))
    run = flux(*SHOW, "-o", "card", "--preview", "kitty").expect(ExitCode.OK)
    assert kitty_pictures(run.out)[0].data == PNG


WATCH = ("tasks", "watch", "--preview", "--interval", "1")


def landing(data: bytes) -> Script:
    """Return a service where tasks land one after the other, one at each look."""
    looks: list[int] = []

    def script(request: Request) -> Iterable[Step]:
        if request.path != "/flux/tasks":
            return [reply(200, data)]
        looks.append(1)
        url = f"http://{request.headers['host']}"
        records = [
            finished(i, response={"success": True, "data": [{"image_url": f"{url}/{i}.png"}]})
            if int(i[2:]) <= len(looks)
            else running(i)
            for i in request.ids
        ]
        return [reply(200, batch(records))]

    return script


def test_watch_shows_each_picture_as_it_lands_and_its_view_and_table_stand(
    flux: Program, service: Start
) -> None:
    service(landing(PNG))
    terminal = Terminal(flux, *WATCH, "t-1", "t-2", "t-3", variables={"COLORTERM": "truecolor"})
    terminal.expect(QUESTION)
    terminal.type(PLAIN)
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    captions = [n for n, line in enumerate(screen.lines) if line.startswith("t-")]
    assert [screen.lines[n] for n in captions] == [f"t-{n}  a cat" for n in (1, 2, 3)]
    high = PICTURE.height // 2
    for start in captions:
        assert [set(line) for line in screen.lines[start + 1 :][:high]] == [{"▀"}] * high
    rest = screen.lines[captions[-1] + 1 + high :]
    assert rest[0].startswith("STATE")
    assert [line.split()[:3] for line in rest[1:4]] == [
        ["✓", "succeeded", f"t-{n}"] for n in (1, 2, 3)
    ]
    assert not screen.cursor_hidden


def test_pictures_of_a_watch_reach_kitty_whole_and_in_order(flux: Program, service: Start) -> None:
    server = service(landing(PNG))
    terminal = Terminal(flux, *WATCH, "t-1", "t-2", "--download", "out")
    terminal.expect(QUESTION)
    terminal.type(KITTY + PLAIN)
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    assert [picture.data for picture in kitty_pictures(screen.sent)] == [PNG, PNG]
    assert len([request for request in server.requests if request.path != "/flux/tasks"]) == 2


def test_a_watch_in_a_pipe_has_no_pictures(flux: Program, service: Start) -> None:
    service(serving(PNG))
    run = flux(*WATCH, "a-1").expect(ExitCode.OK, stderr="pictures need the live view")
    assert len(run.records) == 1


def test_the_end_of_a_watch_does_not_wait_for_ever_for_pictures(
    flux: Program, service: Start
) -> None:
    def stalled(request: Request) -> list[Step]:
        del request
        return [Wait(300)]

    service(with_files(stalled))
    terminal = Terminal(flux, *WATCH, "a-1", "--timeout", "2s")
    terminal.expect(QUESTION)
    terminal.type(KITTY + PLAIN)
    screen = terminal.end()
    assert any("1 picture was not shown" in line for line in screen.lines)
    assert any(line.startswith("✓ succeeded") for line in screen.lines)


def test_ctrl_c_ends_a_picture_that_does_not_come(flux: Program, service: Start) -> None:
    def stalled(request: Request) -> list[Step]:
        del request
        arrived.set()
        return [Wait(300)]

    arrived = threading.Event()
    service(with_files(stalled))
    terminal = Terminal(flux, *SHOW, gets_signals=True)
    terminal.expect(QUESTION)
    terminal.type(KITTY + PLAIN)
    assert arrived.wait(60)
    terminal.interrupt_after(0)
    assert terminal.end().code == ExitCode.INTERRUPTED


def test_the_demo_has_pictures(flux: Program) -> None:
    terminal = Terminal(flux, "demo", "--preview", columns=100, rows=60, FLUX_API_TOKEN=None)
    terminal.expect(QUESTION)
    terminal.type(KITTY + PLAIN)
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    pictures = [Image.open(io.BytesIO(p.data)) for p in kitty_pictures(screen.sent)]
    assert [picture.size for picture in pictures] == [(1024, 1024)] * 11
