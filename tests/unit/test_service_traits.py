"""What replies show of a service is believed, doubted and forgotten."""

from flux_cli.api.responses import BatchResponse
from flux_cli.engine.service_traits import Doubt, PageSize


def reply(size: int) -> BatchResponse:
    return BatchResponse(({"id": "x"},) * size, size)


def test_a_page_limit_is_believed_when_it_is_met_twice() -> None:
    pages = PageSize(50)
    pages.suspect(12)
    assert pages.next_batch() == 50
    pages.suspect(20)
    assert pages.next_batch() == 50  # that was another one
    pages.suspect(20)
    assert pages.next_batch() == 20


def test_a_limit_is_asked_beyond_now_and_then() -> None:
    pages = PageSize(50, limit=12)
    assert [pages.next_batch() for _ in range(16)] == [*[12] * 7, 24] * 2
    pages = PageSize(20, limit=12)
    assert max(pages.next_batch() for _ in range(8)) == 20


def test_a_reply_beyond_the_limit_disproves_it() -> None:
    pages = PageSize(50)
    pages.suspect(12)
    pages.suspect(12)
    pages.saw(reply(12))
    assert pages.next_batch() == 12
    pages.saw(reply(13))
    assert pages.next_batch() == 50


def test_absences_lay_a_doubt_and_another_lie_renews_it() -> None:
    doubt = Doubt()
    assert not doubt
    doubt.add()
    for _ in range(49):
        doubt.confirm_absence()
    assert doubt
    doubt.add()
    for _ in range(50):
        assert doubt
        doubt.confirm_absence()
    assert not doubt
    doubt.confirm_absence()
    doubt.add()
    assert doubt
