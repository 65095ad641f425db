"""Each host has a budget of its own, and all of them end together."""

import pytest

from flux_cli.api.throttle import Stopped, Throttle
from flux_cli.engine.hosts import Hosts
from flux_cli.errors import ServerFault, ServiceError


def make_throttle() -> Throttle:
    return Throttle(concurrency=2, retries=0)


def fail() -> None:
    raise ServerFault("down", code="down")


def test_a_host_has_one_budget_whatever_is_asked_of_it() -> None:
    hosts = Hosts(make_throttle)
    first = hosts.budget("https://a.example/1.png")
    assert hosts.budget("https://a.example/2.png") is first
    assert hosts.budget("https://b.example/1.png") is not first
    assert hosts.budget("https://a.example:8443/1.png") is not first


def test_a_host_that_is_down_is_left_alone_and_the_others_are_not() -> None:
    hosts = Hosts(make_throttle)
    dead, other = "https://dead.example/x", "https://fine.example/x"
    while hosts.reason(dead) is None:
        with pytest.raises((ServiceError, Stopped)):
            hosts.budget(dead).send(fail)
    assert hosts.reason(other) is None
    assert hosts.budget(other).send(lambda: "here") == "here"


def test_after_stopping_no_host_is_asked_any_more() -> None:
    hosts = Hosts(make_throttle)
    known = hosts.budget("https://a.example/")
    hosts.stop()
    with pytest.raises(Stopped):
        known.send(lambda: None)
    for url in ("https://a.example/", "https://new.example/"):
        with pytest.raises(Stopped):
            hosts.budget(url)


def test_memory_does_not_grow_with_the_hosts_that_links_name() -> None:
    made: list[Throttle] = []

    def make() -> Throttle:
        made.append(make_throttle())
        return made[-1]

    hosts = Hosts(make)
    for number in range(3000):
        hosts.budget(f"https://host-{number}.example/")
    assert len(made) == 1001
    assert hosts.budget("https://host-2998.example/") is hosts.budget("https://host-2999.example/")
    assert hosts.budget("https://host-1.example/") is made[1]


def test_what_is_no_url_has_a_budget_all_the_same() -> None:
    hosts = Hosts(make_throttle)
    assert hosts.budget("https://[half").send(lambda: 1) == 1
