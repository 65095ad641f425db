"""The completion script for bash, 3.2 and later."""

from flux_cli.completion.tree import Command, Option, Value


_SCRIPT = r"""# bash completion for flux. Made by `make completions`; do not edit.

_flux() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local path=flux word words= IFS=$' \t\n'
    COMPREPLY=()
    # bash splits --option=value into three words
    if [[ $current == "=" ]]; then
        current=
    elif [[ $previous == "=" ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path $word" in
            @PATHS@) path="$path $word" ;;
        esac
    done
    case "$path:$previous" in
@VALUES@
    esac
    if [[ $current == -* ]]; then
        case "$path" in
@OPTIONS@
        esac
    else
        case "$path" in
@COMMANDS@
        esac
    fi
    _flux_offer -W "$words" -- "$current"
}

# Offer what compgen prints, a line each, as it stands: no word is split, and none is a pattern
_flux_offer() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$line")
    done <<< "$(compgen "$@")"
}

_flux_words() {
    _flux_offer -W "$1" -- "$current"
}

_flux_list() {
    local done=
    [[ $current == *,* ]] && done=${current%,*},
    _flux_offer -P "$done" -W "$1" -- "${current##*,}"
    compopt -o nospace 2>/dev/null
}

_flux_files() {
    local found=() name
    _flux_offer "$1" -- "$current"
    # a name with a line break comes in pieces, which are no names
    for name in "${COMPREPLY[@]}"; do
        if [[ -e $name || -L $name || $name == [~]* ]]; then found+=("$name"); fi
    done
    COMPREPLY=("${found[@]}")
    compopt -o filenames 2>/dev/null
}

complete -F _flux flux flux-tasks
"""
BY_SECOND_NAME = r"""# bash completion for flux. Made by hand: flux-tasks is its second name.
source "$(dirname -- "${BASH_SOURCE[0]}")/flux"
"""  # loaded on demand by the name of the command, from a folder where `flux` is its neighbour


def script(root: Command) -> str:
    """Return the script for the command line `root`."""
    commands = list(root.walk())
    values = [_value(command, option) for command in commands for option in command.options]
    paths = " | ".join(f'"{command.path}"' for command in commands[1:])
    return (
        _SCRIPT.replace("@PATHS@", paths)
        .replace("@VALUES@", "\n".join(filter(None, values)))
        .replace("@OPTIONS@", "\n".join(map(_options, commands)))
        .replace("@COMMANDS@", "\n".join(_commands(c) for c in commands if c.commands))
    )


def _value(command: Command, option: Option) -> str:
    action = {
        Value.NONE: "",
        Value.TEXT: "return",
        Value.FILE: "_flux_files -f; return",
        Value.FOLDER: "_flux_files -d; return",
        Value.WORD: f'_flux_words "{" ".join(option.words)}"; return',
        Value.WORDS: f'_flux_list "{" ".join(option.words)}"; return',
    }[option.value]
    if not action:
        return ""
    patterns = " | ".join(f'"{command.path}:{name}"' for name in option.names)
    return f"        {patterns}) {action} ;;"


def _options(command: Command) -> str:
    names = " ".join(name for option in command.options for name in option.names)
    return f'            "{command.path}") words="{names}" ;;'


def _commands(command: Command) -> str:
    names = " ".join(child.name for child in command.commands)
    return f'            "{command.path}") words="{names}" ;;'
