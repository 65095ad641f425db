"""How the tests are laid out: they mirror the house, and look at it from outside."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest


TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "flux_cli"
MIRRORED = ("engine", "api", "models", "storage")
MODULES = [
    path
    for part in MIRRORED
    for path in sorted((PACKAGE / part).glob("*.py"))
    if path.name != "__init__.py"
]
TEXTS = sorted(TESTS.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_module_has_a_test_file_of_its_name(path: Path) -> None:
    assert (TESTS / "unit" / f"test_{path.name}").is_file()


def private_names(tree: ast.Module) -> Iterator[str]:
    """Yield the private names of others that a file imports or patches.

    To what it asks of objects, the linter's rule SLF001 holds it.
    """
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("flux_cli"):
                yield from (alias.name for alias in names if is_private(alias.name))
            case ast.Call(func=ast.Attribute(attr="setattr" | "object"), args=arguments):
                yield from (
                    argument.value
                    for argument in arguments
                    if isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and is_private(argument.value.rpartition(".")[2])
                )


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(TESTS)))
def test_no_test_reaches_into_what_is_private(path: Path) -> None:
    assert list(private_names(ast.parse(path.read_text()))) == []
