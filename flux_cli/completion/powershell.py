"""The completion script for PowerShell."""

from collections.abc import Iterable

from flux_cli.completion.tree import Command, Option, Value


_SCRIPT = r"""# PowerShell completion for flux. Made by `make completions`; do not edit.

Register-ArgumentCompleter -Native -CommandName flux, flux-tasks -ScriptBlock {
    param($current, $line, $cursor)
    $commands = @{
@COMMANDS@
    }
    $options = @{
@OPTIONS@
    }
    $words = @{
@WORDS@
    }
    $files = @(@FILES@)
    $path = 'flux'
    $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } |
        ForEach-Object { $_.ToString() })
    foreach ($word in $before | Select-Object -Skip 1) {
        if ($commands[$path] -contains $word) { $path = "$path $word" }
    }
    $previous = "${path}:$($before | Select-Object -Last 1)"
    if ($files -contains $previous) { return }  # PowerShell completes files by itself
    $found = if ($words.ContainsKey($previous)) { $words[$previous] }
        elseif ($current -like '-*') { $options[$path] }
        else { $commands[$path] }
    $found | Where-Object { $_ -like "$current*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
"""


def script(root: Command) -> str:
    """Return the script for the command line `root`."""
    commands = list(root.walk())
    pairs = [(command, option) for command in commands for option in command.options]
    return (
        _SCRIPT.replace(
            "@COMMANDS@",
            _entries(
                (c.path, (child.name for child in c.commands)) for c in commands if c.commands
            ),
        )
        .replace("@OPTIONS@", _entries((c.path, _names(c.options)) for c in commands))
        .replace(
            "@WORDS@",
            _entries(
                (f"{c.path}:{name}", o.words) for c, o in pairs if o.words for name in o.names
            ),
        )
        .replace(
            "@FILES@",
            _listed(
                f"{c.path}:{name}" for c, o in pairs if o.value is Value.FILE for name in o.names
            ),
        )
    )


def _names(options: Iterable[Option]) -> Iterable[str]:
    return (name for option in options for name in option.names)


def _entries(entries: Iterable[tuple[str, Iterable[str]]]) -> str:
    return "\n".join(f"        '{key}' = @({_listed(words)})" for key, words in entries)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
