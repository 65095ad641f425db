"""Which escape codes a terminal is sent, by the variables that it sets."""

import pytest

from flux_cli.output.terminal_features import Notification, has_title, notification, shows_progress


XTERM = {"TERM": "xterm-256color"}


def program(name: str, version: str = "") -> dict[str, str]:
    return XTERM | {"TERM_PROGRAM": name, "TERM_PROGRAM_VERSION": version}


@pytest.mark.parametrize(
    ("environment", "is_shown"),
    [
        ({}, False),
        (XTERM, False),
        (XTERM | {"WT_SESSION": "0a"}, True),
        (XTERM | {"ConEmuANSI": "ON"}, True),
        (XTERM | {"ConEmuANSI": "OFF"}, False),
        (program("ghostty", "1.2.0"), True),
        (program("ghostty", "1.1.3"), False),
        (program("ghostty", "1.3.0-main+0a1b2c3"), True),
        (program("iTerm.app", "3.6.6"), True),
        (program("iTerm.app", "3.10.0"), True),
        (program("iTerm.app", "3.6.5"), False),
        (program("iTerm.app", ""), False),
        (program("iTerm.app", "\u0663.\u0669"), False),
        (program("WezTerm", "20240203-110809-5046fc22"), False),
        (program("WezTerm", "20250301-072640-8d1ba1fd"), True),
        (program("Apple_Terminal", "455"), False),
        (program("vscode", "1.112.0"), False),
        (XTERM | {"VTE_VERSION": "7600"}, False),
        (XTERM | {"VTE_VERSION": "8000"}, True),
        (XTERM | {"VTE_VERSION": "9" * 5000}, True),
        (XTERM | {"VTE_VERSION": "x"}, False),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, False),
        ({"TERM": "tmux-256color", "WT_SESSION": "0a"}, False),
        (XTERM | {"TMUX": "1", "WT_SESSION": "0a"}, False),
        (XTERM | {"STY": "1.x", "VTE_VERSION": "8000"}, False),
    ],
)
def test_progress(environment: dict[str, str], *, is_shown: bool) -> None:
    assert shows_progress(environment) is is_shown


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, None),
        (XTERM, None),
        (program("iTerm.app"), Notification.OSC_9),
        (program("WezTerm"), Notification.OSC_9),
        (program("Apple_Terminal"), None),
        (program("vscode"), None),
        ({"TERM": "xterm-ghostty"}, Notification.OSC_9),
        ({"TERM": "foot"}, Notification.OSC_777),
        (XTERM | {"KITTY_WINDOW_ID": "1"}, Notification.OSC_9),
        (XTERM | {"WT_SESSION": "0a"}, None),
        ({"TERM": "screen", "KITTY_WINDOW_ID": "1"}, None),
        (program("WezTerm") | {"TMUX": "1"}, None),
    ],
)
def test_notification(environment: dict[str, str], code: Notification | None) -> None:
    assert notification(environment) is code


@pytest.mark.parametrize("term", ["xterm", "xterm-kitty", "screen.xterm", "tmux-256color", "foot"])
def test_a_title(term: str) -> None:
    assert has_title({"TERM": term})
    assert not has_title({"TERM": term, "INSIDE_EMACS": "30.1,term:0.96"})


@pytest.mark.parametrize("term", ["", "dumb", "linux", "vt100", "ansi", "eterm-color", "stuff"])
def test_no_title(term: str) -> None:
    assert not has_title({"TERM": term})
    assert has_title({"TERM": term, "WT_SESSION": "0a"})
