"""The options of a dataclass, as typer sees them; their help tells the defaults that hold."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from flux_cli.commands.file_options import FileOptions
from flux_cli.commands.help_panels import GroupedCommand
from flux_cli.commands.option_groups import option_groups
from flux_cli.commands.options import ServiceOptions
from flux_cli.commands.watch_options import WatchOptions
from flux_cli.config.durations import parse_duration
from flux_cli.config.settings import DEFAULT_BASE_URL
from flux_cli.config.sizes import parse_size
from flux_cli.engine.policies import DownloadPolicy, ServiceSettings, WatchPolicy


@dataclass(frozen=True)
class Colours:
    panel: ClassVar = "Colours"
    paint: Annotated[str, "The colour."] = "blue"
    is_bright: Annotated[bool, typer.Option("--bright", "-b"), "In full light."] = False


@dataclass(frozen=True)
class Strokes:
    brush_width: Annotated[int, typer.Option("-w", min=1), "How wide. [default: two]"] = 2


def draw(
    ctx: typer.Context,
    *,
    colours: Colours,
    name: Annotated[str, "Who draws."] = "me",
    strokes: Strokes,
) -> None:
    """Draw."""
    typer.echo(f"{ctx.info_name} {colours} {name} {strokes}")


def run(*arguments: str) -> Any:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(cls=GroupedCommand)(option_groups(draw))
    return CliRunner().invoke(app, arguments)


def test_the_command_is_given_each_group_whole() -> None:
    result = run("--paint", "red", "-w", "3")
    assert result.output.split(maxsplit=1)[1].strip() == (
        f"{Colours('red')} me {Strokes(3)}"  # and what was not given has its default
    )


@dataclass(frozen=True)
class Tools:
    """Groups in a group."""

    colours: Colours
    strokes: Strokes


def test_a_group_may_be_made_of_groups() -> None:
    def sketch(*, tools: Tools) -> None:
        """Sketch."""
        typer.echo(str(tools))

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(cls=GroupedCommand)(option_groups(sketch))
    result = CliRunner().invoke(app, ["--bright", "-w", "5"])
    assert result.output.strip() == str(Tools(Colours(is_bright=True), Strokes(5)))
    assert "Colours:" in CliRunner().invoke(app, ["--help"]).output


def test_an_option_that_two_groups_share_is_one_and_each_is_given_it() -> None:
    @dataclass(frozen=True)
    class Walls:
        paint: Annotated[str, "The colour."] = "blue"

    def paint(*, colours: Colours, walls: Walls) -> None:
        """Paint."""
        typer.echo(f"{colours.paint} {walls.paint}")

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(option_groups(paint))
    assert CliRunner().invoke(app, ["--paint", "red"]).output == "red red\n"
    assert CliRunner().invoke(app, ["--help"]).output.count("--paint") == 1


def test_help_has_the_options_in_the_order_of_groups_and_fields() -> None:
    options = re.findall(r"--[a-z-]+", run("--help").output)
    assert options == ["--paint", "--bright", "--name", "--brush-width", "--help"]


def test_an_option_is_called_as_its_field_and_helps_with_its_sentence() -> None:
    lines = [" ".join(line.split()) for line in run("--help").output.splitlines()]
    assert lines[lines.index("Colours:") :] == [
        "Colours:",
        "--paint <str> The colour. [default: blue]",
        "-b, --bright In full light.",
        "",
        "Other options:",
        "--name <str> Who draws. [default: me]",
        "-w, --brush-width <int range> How wide. [default: two] [x>=1]",  # as the sentence has it
        "--help Show this message and exit.",
    ]


@dataclass(frozen=True)
class BlackStrokes(Strokes, Colours):
    paint: str = field(default="black", init=False)


def test_a_field_that_a_group_has_fixed_is_no_option_and_is_there_all_the_same() -> None:
    def command(*, strokes: BlackStrokes) -> None:
        """Draw."""
        typer.echo(strokes)

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(option_groups(command))
    assert "--paint" not in CliRunner().invoke(app, ["--help"]).output
    output = CliRunner().invoke(app, ["--bright"]).output
    assert output == f"{BlackStrokes(is_bright=True)}\n"
    assert "paint='black'" in output


def test_what_has_no_sentence_is_left_to_typer() -> None:
    def command(
        *, dots: Annotated[bool, typer.Option("--dotted", help="With dots.")] = False
    ) -> None:
        typer.echo(f"{dots}")

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(option_groups(option_groups(command)))
    assert CliRunner().invoke(app, ["--dotted"]).output == "True\n"
    assert "--dotted  With dots." in CliRunner().invoke(app, ["--help"]).output


def test_a_range_of_a_field_is_checked() -> None:
    result = run("--brush-width", "0")
    assert result.exit_code == 2
    assert "--brush-width" in result.output


READ: dict[str, Callable[[str], object]] = {
    "DURATION": parse_duration,
    "SIZE": parse_size,
    "URL": str,
}


@pytest.mark.parametrize("kind", [ServiceOptions, WatchOptions, FileOptions])
def test_a_default_that_a_help_text_spells_out_is_the_one_that_holds(kind: type) -> None:
    def command(options: Any) -> None: ...

    command.__annotations__["options"] = kind
    app = typer.Typer()
    app.command()(option_groups(command))
    for parameter in get_command(app).params:
        spelled = re.search(r"\[default: (\S+)\]$", getattr(parameter, "help", None) or "")
        if spelled is not None:
            holds = {"base_url": DEFAULT_BASE_URL}.get(parameter.name or "", parameter.default)
            if spelled[1] == "never":
                assert holds is None
            else:
                assert READ[parameter.metavar or ""](spelled[1]) == holds


@pytest.mark.parametrize(
    ("options", "policy"),
    [(ServiceOptions, ServiceSettings), (WatchOptions, WatchPolicy), (FileOptions, DownloadPolicy)],
)
def test_what_the_engine_knows_has_an_option_and_the_same_default(
    options: type, policy: type
) -> None:
    for each in fields(policy):
        assert getattr(options(), each.name) == each.default
