"""Submits prompts: from a list of requests to what stands on stdout, and on to a watch."""

import contextlib
from collections import Counter
from collections.abc import Callable

from flux_cli import interrupts
from flux_cli.commands.program_name import program_name
from flux_cli.commands.run_options import in_journal
from flux_cli.commands.submit_consent import ask_for_consent, outlook_on, try_out
from flux_cli.commands.submit_request import SubmitRequest
from flux_cli.commands.summary import raise_weightier
from flux_cli.engine.runs import submitting
from flux_cli.engine.session import Session
from flux_cli.engine.submission import Submitter
from flux_cli.errors import (
    ExitCode,
    Interrupted,
    JournalError,
    OutputError,
    ServiceError,
    Unanswered,
)
from flux_cli.models.ids import TaskIds
from flux_cli.models.reasons import Reasons
from flux_cli.models.submission import RunInfo, Submission, SubmissionState, counts_in_words
from flux_cli.output.progress import BarProgress, Progress
from flux_cli.output.reasons import summary_lines
from flux_cli.runtime import Runtime


_PATIENCE = 10.0  # seconds that replies have to come, after a signal
_LIGHTER = (ExitCode.OK, ExitCode.NOT_FOUND, ExitCode.STILL_RUNNING)  # than a refusal


def run_submit(runtime: Runtime, session: Session, request: SubmitRequest) -> ExitCode:
    """Submit what was not submitted before, write all rows, and return the exit code.

    Raises UsageError, JournalError and NoToken before anything is sent;
    ServiceError when rows were not sent, or are in doubt, after writing what is
    known, and Interrupted likewise.
    """
    if request.options.dry_run:
        try_out(runtime, session, request)
        return ExitCode.OK
    session.connection  # noqa: B018 - a token is needed, before a journal is made
    with runtime.open_journal(request.journal) as journal:
        outlook = outlook_on(session, journal, request)
        ask_for_consent(runtime, outlook.to_send, request)
        request.prepare(session)
        runtime.stdout.outlives_reader = True
        with submitting(
            session,
            journal,
            request.run,
            request.options,
            most=len(outlook.to_send),
            wait=_waiter(runtime),
        ) as submitter:
            return _SubmitRun(runtime, session, submitter, request).run()


class _SubmitRun:
    """A run under way: its rows are written in order, as soon as each is settled."""

    def __init__(
        self, runtime: Runtime, session: Session, submitter: Submitter, request: SubmitRequest
    ) -> None:
        self._runtime = runtime
        self._session = session
        self._submitter = submitter
        self._request = request
        self._reasons = Reasons()
        self._counts: Counter[SubmissionState] = Counter()
        session.rows.add_run(submitter.rows)
        self._writer = (
            None if request.go_on else request.output.make_writer(runtime, session.rows.labels)
        )

    def run(self) -> ExitCode:
        submitter, runtime = self._submitter, self._runtime
        former = sum(row.state is SubmissionState.ACCEPTED for row in submitter.rows)
        try:
            submitter.settle()
            self._announce(former)
            with self._progress() as progress:
                for row in submitter.results():
                    self._show(row)
                    progress.advanced(1)
                    interrupts.check()
            self._close()
        except Interrupted:
            self._finish_under_way()
            self._print_summary()
            runtime.stderr.line(
                "flux: interrupted. Nothing is lost, and nothing is paid for twice: run the same"
                " command again to continue."
            )
            raise
        except JournalError:
            self._finish_under_way()
            raise
        except OutputError as error:
            self._finish_under_way()
            raise_weightier(runtime, error, self._trouble())
        self._print_summary()
        return self._go_on()

    def _announce(self, former: int) -> None:
        """Say what was submitted before, and is not sent again."""
        run, total = self._submitter.run, len(self._submitter.rows)
        if not former:
            return
        if total == 1:
            what = "this prompt was"
        elif former == total:
            what = f"all {total:,} prompts were"
        else:
            what = f"{former:,} of {total:,} prompts {'was' if former == 1 else 'were'}"
        hint = f" {self._request.options.again_hint}." if former == total else ""
        self._runtime.stderr.note(
            f"flux: {what} submitted before (run {run.name}); nothing is submitted twice.{hint}"
        )

    def _show(self, row: Submission) -> None:
        self._counts[row.state] += 1
        task = row.as_task(self._runtime.now())
        if row.state is SubmissionState.REFUSED:
            self._reasons.add([task])
        if self._writer is not None and self._request.output.shows(task):
            self._writer.write([task])

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _finish_under_way(self) -> None:
        """Wait a moment for the replies that are on their way, and write what is known."""
        if count := self._submitter.under_way:
            noun = "reply" if count == 1 else "replies"
            self._runtime.stderr.line(f"flux: waiting for {count} {noun}; Ctrl-C again to quit.")
        for row in self._submitter.interrupt(_PATIENCE):
            with contextlib.suppress(OutputError):
                self._show(row)
        with contextlib.suppress(OutputError):
            self._close()

    def _progress(self) -> Progress:
        runtime = self._runtime
        is_shown = runtime.stderr.has_styles and self._submitter.planned()
        if not is_shown or runtime.stderr.is_quiet:
            return Progress()
        return BarProgress(runtime.stderr, total=len(self._submitter.rows))

    def _print_summary(self) -> None:
        """Say how many are in which state, why some were refused, and what to do next."""
        run, stderr = self._submitter.run, self._runtime.stderr
        stderr.note(f"run {run.name}: {counts_in_words(self._counts)}")
        for line in summary_lines(self._reasons, stderr):
            stderr.note(line)
        if self._counts[SubmissionState.ACCEPTED] and self._request.go_on is None:
            self._suggest("To watch them until they have finished", "watch")

    def _suggest(self, purpose: str, verb: str) -> None:
        note = self._runtime.stderr.note
        note(f"{purpose}, run:")
        note(f"  {program_name(self._runtime)} tasks {verb} {self._run_words}")

    @property
    def _run_words(self) -> str:
        return f"--run {self._submitter.run.name}{in_journal(self._request.journal)}"

    def _trouble(self) -> ServiceError | None:
        """Return why rows were not sent, or are in doubt; None where all is well."""
        submitter, counts = self._submitter, self._counts
        unsent = counts[SubmissionState.PLANNED]
        doubtful = counts[SubmissionState.UNKNOWN] + counts[SubmissionState.SENDING]
        reason = submitter.stopped_by or submitter.failure
        if unsent and submitter.stopped_by is not None:
            return submitter.stopped_by
        if not unsent and not doubtful:
            return None
        parts = []
        if unsent:
            verb = "was" if unsent == 1 else "were"
            parts.append(f"{unsent:,} of {counts.total():,} prompts {verb} not submitted")
            hint = "Run the same command again to submit the rest: nothing is submitted twice"
        if doubtful:
            parts.append(f"{doubtful:,} may have been accepted, but cannot be found")
            hint = (
                "Run the same command again: it looks once more, and submits nothing twice."
                " With --resend-unconfirmed it submits what cannot be found, and you may pay for"
                " that twice"
            )
        cause = f": {reason.message}" if reason is not None else ""
        return Unanswered(
            f"{' and '.join(parts)}{cause}",
            code="unconfirmed",
            hint=hint,
            trace_id=reason.trace_id if reason else None,
        )

    def _go_on(self) -> ExitCode:
        """Watch what was accepted, and return the exit code. Raises what left rows unsent."""
        trouble = self._trouble()
        code = ExitCode.OK
        accepted = [r for r in self._submitter.rows if r.state is SubmissionState.ACCEPTED]
        if self._request.go_on is not None and accepted:
            if trouble is not None:
                self._runtime.stderr.line(f"flux: {trouble.message}.")
            ids = TaskIds()
            for row in accepted:
                ids.add(row.task_id or "")
            self._session.rows.add_run(accepted)
            try:
                code = self._request.go_on(self._session, ids, self._run_words)
            except OutputError as error:
                raise_weightier(self._runtime, error, trouble)
            if code is ExitCode.TASK_FAILED:
                self._suggest("To retry the tasks that failed, and pay for them again", "retry")
        if trouble is not None:
            raise trouble
        if self._counts[SubmissionState.REFUSED] and code in _LIGHTER:
            return ExitCode.TASK_FAILED
        return code


def _waiter(runtime: Runtime) -> Callable[[RunInfo, float], None]:
    """Return what waits while another process works on a run; it says so once."""
    said: list[bool] = []

    def wait(run: RunInfo, seconds: float) -> None:
        if not said:
            said.append(True)
            runtime.stderr.line(
                f"flux: another flux is submitting run {run.name}; waiting until it is done."
            )
        runtime.sleep(max(seconds, 0.2))

    return wait
