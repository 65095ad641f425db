"""Saving beside others: what somebody else saved meanwhile is not fetched again."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from flux_cli.api.file_client import FileResponse
from flux_cli.api.throttle import Throttle
from flux_cli.engine.downloader import Downloader
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.models.media import Media
from flux_cli.models.task import File, parse_task
from flux_cli.output.progress import Silence
from tests.support.media import FILES
from tests.support.records import finished


DATA = FILES[Media.PNG]
TASK = parse_task("a1", finished("a1"), 1.0)


def test_after_waiting_for_the_lock_it_is_looked_once_more_whether_the_file_is_there(
    tmp_path: Path,
) -> None:
    fetched: list[str] = []
    first_fetches, second_waits = threading.Event(), threading.Event()

    def downloader(name: str) -> Downloader:
        @contextlib.contextmanager
        def open_file(
            url: str, *, start: int = 0, validator: str | None = None
        ) -> Iterator[FileResponse]:
            del url, start, validator
            fetched.append(name)
            first_fetches.set()
            assert second_waits.wait(30)
            yield FileResponse(0, len(DATA), None, iter([DATA]))

        def sleep(seconds: float) -> None:
            second_waits.set()  # for the lock that the first one has
            time.sleep(seconds)

        return Downloader(
            tmp_path,
            DownloadPolicy(),
            open_file,
            throttle=lambda: Throttle(concurrency=1, retries=0),
            progress=Silence(lambda _: None),
            sleep=sleep,
        )

    files: dict[str, File] = {}

    def save(name: str) -> None:
        downloader(name).save(TASK, 1, lambda file: files.__setitem__(name, file))

    first = threading.Thread(target=save, args=("first",))
    first.start()
    assert first_fetches.wait(30)
    second = threading.Thread(target=save, args=("second",))
    second.start()
    first.join(30)
    second.join(30)
    assert fetched == ["first"]
    assert (files["first"].is_new, files["second"].is_new) == (True, False)
    assert files["first"].sha256 == files["second"].sha256
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [DATA]
