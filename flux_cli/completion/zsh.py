"""The completion script for zsh."""

from collections.abc import Iterator

from flux_cli.completion.tree import Command, Option, Value


_HEAD = """#compdef flux flux-tasks
# zsh completion for flux. Made by `make completions`; do not edit.
"""
_TAIL = """
if [[ $funcstack[1] == _flux ]]; then
    _flux "$@"
else
    compdef _flux flux flux-tasks
fi
"""


def script(root: Command) -> str:
    """Return the script for the command line `root`."""
    return _HEAD + "".join(map(_function, root.walk())) + _TAIL


def _function(command: Command) -> str:
    lines = [f"\n{_name(command)}() {{"]
    specs = [spec for option in command.options for spec in _specs(option)]
    if command.commands:
        lines += [
            "    local line state",
            *_arguments(["-C", *specs, "'1: :->command'", "'*:: :->rest'"]),
            "    case $state in",
            "        command)",
            "            local -a commands=(",
            *(f"                {_quoted(_described(c))}" for c in command.commands),
            "            )",
            "            _describe command commands",
            "            ;;",
            "        rest)",
            "            case $line[1] in",
            *(f"                {c.name}) {_name(c)} ;;" for c in command.commands),
            "            esac",
            "            ;;",
            "    esac",
        ]
    else:
        rest = [_quoted(f"*:{command.arguments}:")] if command.arguments else []
        lines += _arguments(["-s", "-S", *specs, *rest])
    return "\n".join([*lines, "}", ""])


def _arguments(words: list[str]) -> Iterator[str]:
    yield "    _arguments \\"
    yield from (f"        {word} \\" for word in words[:-1])
    yield f"        {words[-1]}"


def _specs(option: Option) -> Iterator[str]:
    action = {
        Value.NONE: "",
        Value.TEXT: f":{option.metavar}:",
        Value.FILE: f":{option.metavar}:_files",
        Value.FOLDER: f":{option.metavar}:_files -/",
        Value.WORD: f":{option.metavar}:({' '.join(option.words)})",
        Value.WORDS: f":{option.metavar}:_sequence compadd - {' '.join(option.words)}",
    }[option.value]
    others = "*" if option.is_repeatable else f"({' '.join(option.names)})"
    for name in option.names:
        equals = "=" if action and name.startswith("--") else ""
        yield _quoted(f"{others}{name}{equals}[{_escaped(option.help, '[]:')}]{action}")


def _described(command: Command) -> str:
    return f"{command.name}:{_escaped(command.help, ':')}"


def _name(command: Command) -> str:
    return "_" + command.path.replace(" ", "_")


def _escaped(text: str, special: str) -> str:
    return "".join(f"\\{c}" if c in special else c for c in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
