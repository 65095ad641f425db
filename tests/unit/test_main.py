"""The name that the program was called by, from the path that it was started with."""

import pytest

from flux_cli.__main__ import called_as


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("flux", "flux"),
        ("/usr/local/bin/flux", "flux"),
        ("/home/me/.local/bin/flux-tasks", "flux-tasks"),
        ("flux-tasks.exe", "flux-tasks"),
        ("/site-packages/flux_cli/__main__.py", "python -m flux_cli"),
        ("/home/me/bin/f", "flux"),  # a name that a user made up helps nobody in a report
        ("-c", "flux"),
        ("", "flux"),
    ],
)
def test_the_name_it_was_called_by(path: str, name: str) -> None:
    assert called_as(path) == name
