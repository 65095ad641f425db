"""Options in few words: a dataclass is a group, a field an option, a sentence its help."""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.models import OptionInfo

from flux_cli.errors import UsageError


def option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` as typer sees it: the fields of its dataclasses stand in their place.

    An option is `Annotated[TYPE, "Its help."]`, and is called as its field or parameter is. What
    else there is to it stands between the two, as `typer.Option` or `typer.Argument`. Options
    that name no panel of the help are in the `panel` of their dataclass. What has no sentence is
    typer's own, and left to it. Fields of one name are one option, which each dataclass is given;
    a field that no caller sets (`init=False`) is none, and one that is a dataclass is a group.
    """
    signature = inspect.signature(command)
    kinds = {name: parameter.annotation for name, parameter in signature.parameters.items()}

    @functools.wraps(command)
    def run(**values: Any) -> None:
        command(**{name: _made(name, kind, values) for name, kind in kinds.items()})

    parts = (part for whole in signature.parameters.values() for part in _parts(whole))
    parameters = list({part.name: part for part in parts}.values())
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def check_use(
    ctx: typer.Context, groups: Iterable[type], when: str, *, hint: str, but: Iterable[str] = ()
) -> None:
    """Raise UsageError for an option of `groups` that was given where none of them applies.

    Fields that are called as in `but` apply all the same.
    """
    names = {field.name for group in groups for field in fields(group)}.difference(but)
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} only applies {when}", hint=hint)


def _parts(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yield the fields of a dataclass as parameters, and any other parameter as it is."""
    group = parameter.annotation
    if is_dataclass(group):
        yield from _options(group)
    else:
        yield _option(parameter.name, parameter.default, group)


def _options(group: Any) -> Iterator[inspect.Parameter]:
    for field in _settable(group):
        if is_dataclass(field.type):
            yield from _options(field.type)
        else:
            yield _option(field.name, field.default, field.type, getattr(group, "panel", None))


def _settable(group: Any) -> list[Field[Any]]:
    return [field for field in fields(group) if field.init]


def _made(name: str, kind: Any, values: Mapping[str, Any]) -> Any:
    """Return what a parameter or a field is given, which may be a group of `values`."""
    if not is_dataclass(kind):
        return values[name]
    made = {field.name: _made(field.name, field.type, values) for field in _settable(kind)}
    return kind(**made)  # type: ignore[operator]


def _option(
    name: str, default: Any, annotation: Any, panel: str | None = None
) -> inspect.Parameter:
    """Return a parameter whose annotation tells typer all that there is to an option."""
    if get_origin(annotation) is Annotated and isinstance(get_args(annotation)[-1], str):
        kind, *more, sentence = get_args(annotation)
        info: Any = copy.copy(more[0]) if more else typer.Option()
        info.help = sentence
        info.rich_help_panel = info.rich_help_panel or panel
        info.show_default = "[default: " not in sentence
        if isinstance(info, OptionInfo):
            info.param_decls = _names(name, [info.default, *(info.param_decls or ())])
            info.default = ...
        annotation = Annotated[kind, info]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _names(name: str, given: list[Any]) -> list[str]:
    """Return what an option is called: as its field is, where no long name is given."""
    names = [word for word in given if word is not ...]  # typer takes the first for a default
    if any(word.startswith("--") for word in names):
        return names
    return [f"--{name.replace('_', '-')}", *names]
