"""The completion script for fish."""

from collections.abc import Iterator

from flux_cli.completion.tree import Command, Option, Value


_SCRIPT = r"""# fish completion for flux. Made by `make completions`; do not edit.

function __flux_at --description 'Whether the command line is at this command'
    set -l path flux
    for word in (commandline -opc)[2..-1]
        if contains -- "$path $word" @PATHS@
            set path "$path $word"
        end
    end
    test "$path" = "$argv"
end

function __flux_list --description 'Words with commas between them'
    set -l current (commandline -ct | string replace -r '^--[^=]*=' '')
    set -l done (string replace -r '[^,]*$' '' -- "$current")
    printf "$done%s\n" $argv
end

complete -c flux -f
complete -c flux-tasks -w flux
"""
BY_SECOND_NAME = r"""# fish completion for flux. Made by hand: flux-tasks is its second name.
source (dirname (status --current-filename))/flux.fish
"""


def script(root: Command) -> str:
    """Return the script for the command line `root`."""
    commands = list(root.walk())
    paths = " ".join(_quoted(command.path) for command in commands[1:])
    lines = [line for command in commands for line in _lines(command)]
    return _SCRIPT.replace("@PATHS@", paths) + "\n".join(lines) + "\n"


def _lines(command: Command) -> Iterator[str]:
    at = f"complete -c flux -n {_quoted(f'__flux_at {command.path}')}"
    for child in command.commands:
        yield f"{at} -a {child.name} -d {_quoted(child.help)}"
    for option in command.options:
        yield f"{at}{_spelled(option)} -d {_quoted(option.help)}"


def _spelled(option: Option) -> str:
    names = "".join(
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    words = " ".join(option.words)
    return (
        names
        + {
            Value.NONE: "",
            Value.TEXT: " -x",
            Value.FILE: " -r -F",
            Value.FOLDER: " -x -a '(__fish_complete_directories)'",
            Value.WORD: f" -x -a {_quoted(words)}",
            Value.WORDS: f" -x -a {_quoted(f'(__flux_list {words})')}",
        }[option.value]
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
