"""Options in groups: a command that takes a dataclass has an option for each of its fields."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any


def option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` as typer sees it: the fields of its dataclasses stand in their place."""
    signature = inspect.signature(command)
    groups = {
        parameter.name: {field.name for field in fields(parameter.annotation)}
        for parameter in signature.parameters.values()
        if is_dataclass(parameter.annotation)
    }

    @functools.wraps(command)
    def run(**values: Any) -> None:
        made = {
            name: signature.parameters[name].annotation(**{key: values.pop(key) for key in keys})
            for name, keys in groups.items()
        }
        command(**values, **made)

    parameters = [part for whole in signature.parameters.values() for part in _parts(whole)]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parts(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yield the fields of a dataclass as parameters, and any other parameter as it is."""
    kind = inspect.Parameter.KEYWORD_ONLY
    if not is_dataclass(parameter.annotation):
        yield parameter.replace(kind=kind)
        return
    for field in fields(parameter.annotation):
        yield inspect.Parameter(field.name, kind, default=field.default, annotation=field.type)
