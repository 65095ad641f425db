"""The way to a service, which may be shown to anybody."""

from flux_cli.api.connection import Connection
from flux_cli.token import Token
from tests.support.program import CANARY


def test_showing_a_connection_does_not_show_its_token() -> None:
    connection = Connection("https://api.example", Token(CANARY))
    assert "https://api.example" in repr(connection)
    assert CANARY not in f"{connection} {connection!r}"
