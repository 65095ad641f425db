"""Help that is about no single command: what `flux help` and the reference say."""

from collections.abc import Sequence
from typing import NamedTuple

from flux_cli.sandbox.faults import Misbehaviour


class Topic(NamedTuple):
    """A page of help: some sentences, then terms and what they mean."""

    name: str
    title: str
    text: str
    rows: Sequence[tuple[str, str]]
    ending: str = ""


EXIT_CODES = Topic(
    "exit-codes",
    "Exit codes",
    "The same in every format. `check` and `download` exit with 0 whatever the states are,"
    " unless --exit-status is given; `watch` always gives the verdict.",
    (
        ("0", "The question was answered; with watch or --exit-status: and every task succeeded."),
        ("1", "A bug in flux."),
        ("2", "Wrong usage, unreadable or empty input. Nothing was sent."),
        ("3", "A task failed."),
        ("4", "No token, or the service rejected it."),
        ("5", "No answer for at least one id: the service refused, or stayed out of reach."),
        ("6", "An id was not found."),
        ("7", "A file or stdout could not be written, a download or a command of --exec failed."),
        ("8", "Tasks are still running."),
        ("124", "watch --timeout ran out with tasks still open; others may have failed."),
        ("129", "The terminal was closed (SIGHUP). What was known has been printed."),
        ("130", "Interrupted by Ctrl-C. What was known has been printed."),
        ("143", "Ended by SIGTERM. What was known has been printed."),
    ),
    "Where several apply, the first of these counts: 129, 130 or 143, 4, 5, 7, 124, 3, 6, 8. A"
    " reader that closes the pipe, as head does, ends flux quietly with 0; what has work beside"
    " its output (download, watch --download, watch --exec) goes on and keeps its verdict.",
)
ENVIRONMENT = Topic(
    "environment",
    "Environment",
    "Settings come from options first, then from these variables. An empty one counts as unset."
    " There are no .env files, and no token on the command line.",
    (
        ("FLUX_API_TOKEN", "The token; comes before ACEDATACLOUD_API_TOKEN and the stored one."),
        ("ACEDATACLOUD_API_TOKEN", "The token, under the name that other tools use."),
        ("FLUX_API_BASE_URL", "The service; comes before ACEDATACLOUD_API_BASE_URL."),
        ("ACEDATACLOUD_API_BASE_URL", "The service, under the name that other tools use."),
        ("FLUX_CONFIG_DIR", "The folder of the stored token, instead of the platform's own."),
        ("HTTPS_PROXY, ALL_PROXY", "A proxy, http:// or https://. This machine needs none."),
        ("NO_PROXY", "Hosts that are asked without it."),
        ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates to trust instead of the system's."),
        ("NO_COLOR", "No colours."),
        ("TERM=dumb", "No colours, no live view, no escape codes at all."),
        ("COLUMNS, LINES", "The size of the window, where the terminal's own is wrong."),
        ("FLUX_DEBUG=1", "Where a bug in flux is, line by line, for a report of it."),
        ("FLUX_MCP_TOKEN", "What callers of flux mcp --http must send, off this machine."),
        (
            "FLUX_TASK_*",
            (
                "Set for the command of --exec: ID, STATE, MODEL, PROMPT, URL, URLS, PATH,"
                " PATHS, ERROR_CODE, ERROR_MESSAGE, TRACE_ID."
            ),
        ),
    ),
)
FORMATS = Topic(
    "formats",
    "Formats",
    "What -o writes to stdout. Notes, progress, errors and the summary, with why tasks failed, go"
    " to stderr. Results are in the order of your ids in every format but the live view and"
    " reasons.",
    (
        ("auto", "The table, or the live view of watch, on a terminal; JSON lines anywhere else."),
        ("table", "State, id, model, age, time taken, result, prompt: as many as fit."),
        (
            "jsonl",
            (
                "A JSON object a line, written as soon as it is known. `flux schema` describes"
                " it. In watch: a line for each first sight and for each change."
            ),
        ),
        ("json", "One array of the same objects, at the end."),
        ("csv", "A row a task, with a header; safe to open in a spreadsheet."),
        ("ids", "The ids alone, for another flux or for xargs."),
        ("urls", "The URLs of the outputs alone."),
        (
            "reasons",
            (
                "Why tasks failed or had no answer, the most frequent first, at the end: a table on"
                " a terminal, else JSON lines with code, message, count, ids (three examples) and"
                " state. What differs between messages is `<id>`, `<url>` or `<n>`."
            ),
        ),
    ),
    "--state keeps only tasks in some states, in every format. --fields id,state,outputs picks the"
    " keys of jsonl, json and csv, in that order; in CSV outputs is urls (and paths where files are"
    " saved), and error and cost have two columns each. --raw adds the service's own record to"
    " JSON and CSV, as raw, which --fields can name too.",
)
STATES = Topic(
    "states",
    "States",
    "The service sends no state; flux derives it from the record, always in the same way. A"
    " task that has succeeded or failed never changes again.",
    (
        ("pending", "Accepted, not started."),
        ("processing", "Started, or the service has begun to answer."),
        ("succeeded", "There is an output, or the service says success and that it is finished."),
        ("failed", "The service says so, with an error or without an output."),
        (
            "not_found",
            (
                "The service does not know the id: mistyped, another account's, too old, or"
                " submitted a moment ago. Said only after asking twice."
            ),
        ),
        ("unknown", "There was no answer for this id; error says why. Ask again later."),
    ),
)
MISBEHAVIOURS = Topic(
    "misbehaviours",
    "Misbehaviours of the sandbox",
    "What `flux sandbox --misbehave NAME` does: everything that the service was seen to do, or"
    " that nothing rules out. Without any, it behaves as documented.",
    [(name.value, name.meaning) for name in Misbehaviour],
)
TOPICS = {topic.name: topic for topic in (EXIT_CODES, ENVIRONMENT, FORMATS, STATES, MISBEHAVIOURS)}
