"""Every sentence that a user can see is listed in `tests/golden/messages.txt`.

`GOLDEN=write pytest tests/test_messages.py` writes the file anew: read what changed, as a user.
"""

import ast
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from flux_cli.app import make_app


ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "messages.txt"
SHELL_SCRIPTS = {f"flux_cli/completion/{s}.py" for s in ("bash", "fish", "powershell", "zsh")}
PLACEHOLDER = "{…}"


def text_of(node: ast.AST) -> str:
    """Return the text of a literal, with a placeholder for each value in it; else nothing."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or PLACEHOLDER for part in parts)
    return ""


def not_shown(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what below `node` is no text for users, though it may look like it."""
    match node:
        case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            if ast.get_docstring(node) is not None:
                yield node.body[0].value  # type: ignore[attr-defined]
        case ast.JoinedStr():
            yield from node.values
        case ast.arg(annotation=ast.Constant() as annotation):
            yield annotation
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))):
            yield from node.args


def messages(source: str) -> Iterator[str]:
    """Yield what a module may show to a user: every literal with words in it, in their order."""
    tree = ast.parse(source)
    hidden = {id(each) for node in ast.walk(tree) for each in not_shown(node)}
    literals = [node for node in ast.walk(tree) if text_of(node) and id(node) not in hidden]
    for node in sorted(literals, key=lambda node: (node.lineno, node.col_offset)):  # type: ignore[attr-defined]
        text = text_of(node).strip()
        is_code = re.search(r"[;{]\n", text)
        if " " in text and re.search(r"[a-z]{2}", text) and not is_code:
            yield text.replace("\n", "\n    ")


def helps(command: Any, path: str) -> Iterator[str]:
    """Yield the help of a command, which is its docstring, and of all below it."""
    yield f"## {path}"
    yield inspect.cleandoc(command.help).replace("\b\n", "")
    yield ""
    for name, child in getattr(command, "commands", {}).items():
        yield from helps(child, f"{path} {name}")


def test_every_message_is_in_the_list() -> None:
    lines = list(helps(get_command(make_app()), "flux"))
    for path in sorted((ROOT / "flux_cli").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in SHELL_SCRIPTS and (found := list(dict.fromkeys(messages(path.read_text())))):
            lines += [f"## {name}", *found, ""]
    text = "\n".join(lines)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
