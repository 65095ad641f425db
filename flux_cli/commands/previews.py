"""Shows the pictures that tasks made in the terminal, each below the task."""

import contextlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Self

from flux_cli import interrupts
from flux_cli.api.throttle import Stopped
from flux_cli.commands.extras import installation
from flux_cli.engine.session import Session
from flux_cli.errors import DownloadError, ServiceError, UsageError
from flux_cli.models.task import Output, Task
from flux_cli.output.preview.draw import LARGEST_FILE, choose, draw, needs_pillow
from flux_cli.output.preview.errors import NeedsPillow, NoPicture
from flux_cli.output.preview.method import Method
from flux_cli.output.preview.question import Abilities, Question, can_ask
from flux_cli.runtime import Runtime


_EXTRA = "preview"
_MOST = 8  # pictures of one task
_SECONDS = 60.0  # for one picture


class Previews:
    """Fetches pictures, and draws them in the way that was asked for, or that the terminal knows.

    A context manager: the terminal is given back as it was. `say` takes what there is to note.
    """

    def __init__(
        self,
        runtime: Runtime,
        session: Session,
        method: Method,
        *,
        say: Callable[[str], None],
        most_lines: int | None = None,
    ) -> None:
        """Raises UsageError where `method` needs what is not installed."""
        self._most_lines = most_lines
        self._runtime = runtime
        self._session = session
        self._wanted = method
        self._say = say
        self._closing = contextlib.ExitStack()
        self._has_hinted = False
        if needs_pillow(method):
            raise UsageError(
                f"--preview {method} needs Pillow, which is not installed",
                hint=f"To add it, run: {installation(_EXTRA)}",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @cached_property
    def method(self) -> Method:
        """How pictures are drawn: the terminal is asked once, at the first use. Raises Interrupted.

        Where nothing can be drawn for want of Pillow, that is said.
        """
        if self._wanted is not Method.AUTO:
            return self._wanted
        stdout = self._runtime.stdout
        if not stdout.has_styles:
            return Method.OFF
        method = choose(self._abilities(), stdout)
        if method is Method.OFF and needs_pillow(Method.BLOCKS) and stdout.has_colours:
            self._hint()
        return method

    def show(self, task: Task) -> None:
        """Draw the pictures of `task`, and say why one is not drawn. Raises Interrupted."""
        for number in self.numbers(task):
            with interrupts.cuttable():  # nothing is lost with a picture that is on its way
                drawn = self.fetch(task, number)
            self.write(drawn)

    def numbers(self, task: Task) -> list[int]:
        """Return which outputs of `task`, counted from 1, are drawn."""
        found = [n for n, output in enumerate(task.outputs, 1) if output.kind == "image"]
        if not found or self.method is Method.OFF:
            return []
        if len(found) > _MOST:
            self._say(f"flux: {len(found) - _MOST:,} more pictures of {task.id} are not shown.")
        return found[:_MOST]

    def fetch(self, task: Task, number: int) -> bytes | str:
        """Return what draws output `number`, or in words why it is not drawn."""
        try:
            data = self._read(task.outputs[number - 1])
            return draw(data, self.method, self._runtime.stdout, most_lines=self._most_lines)
        except NeedsPillow as error:
            reason = error.reason
            if not self._has_hinted:
                self._has_hinted = True
                reason += f"; to add it, run: {installation(_EXTRA)}"
        except NoPicture as error:
            reason = error.reason
        except (DownloadError, ServiceError) as error:
            reason = error.message
        except Stopped:
            reason = "its host stopped answering"
        return f"flux: no preview of output {number} of {task.id}: {reason}."

    def _read(self, output: Output) -> bytes:
        """Return the file of `output`, from the disk where it was saved."""
        if output.file is not None and output.file.path is not None:
            try:
                with Path(output.file.path).open("rb") as file:
                    return file.read(LARGEST_FILE)
            except OSError as error:
                raise NoPicture(f"the file cannot be read: {error.strerror}") from None
        return self._session.read_file(output.url, max_size=LARGEST_FILE, seconds=_SECONDS)

    def write(self, drawn: bytes | str) -> None:
        """Write what `fetch` returned."""
        if isinstance(drawn, str):
            self._say(drawn)
        else:
            self._runtime.stdout.write(drawn)

    def _abilities(self) -> Abilities:
        runtime = self._runtime
        term = runtime.environment.get("TERM", "")
        if runtime.stdin is None or not can_ask(runtime.stdin, runtime.stdout.fileno(), term=term):
            return Abilities()
        question = self._closing.enter_context(Question(runtime.stdin.fileno()))
        return question.ask()

    def _hint(self) -> None:
        self._has_hinted = True
        self._say(f"flux: pictures are not shown. To see them here, run: {installation(_EXTRA)}")
