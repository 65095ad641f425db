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
    "The same in every format. `check`, `show` and `download` exit with 0 whatever the states,"
    " unless --exit-status is given; the exit code of `watch` always reflects them.",
    (
        (
            "0",
            (
                "Every task was answered for, or every prompt accepted; with watch or"
                " --exit-status, every task also succeeded."
            ),
        ),
        ("1", "A bug in flux."),
        ("2", "Wrong usage, unreadable or empty input. Nothing was sent."),
        ("3", "A task failed, or the service refused a prompt."),
        ("4", "No token, or the service rejected it."),
        (
            "5",
            (
                "No answer for at least one id: the service refused or was unreachable. Or a prompt"
                " was not submitted, or may have been accepted but cannot be found."
            ),
        ),
        ("6", "An id was not found."),
        ("7", "A file or stdout could not be written, or a download or --exec command failed."),
        ("8", "Tasks are still running."),
        ("124", "watch --timeout ran out with tasks still open; others may have failed."),
        ("129", "The terminal was closed (SIGHUP). Results so far have been printed."),
        ("130", "Interrupted by Ctrl-C. Results so far have been printed."),
        ("143", "Terminated by SIGTERM. Results so far have been printed."),
    ),
    "If several apply, the first in this order wins: 129, 130 or 143, 4, 5, 7, 124, 3, 6,"
    " 8. If the reader closes the pipe, as head does, flux exits quietly with 0; commands"
    " that do more than print (download, submissions, watch --download, watch --exec) run"
    " to the end and exit as usual.",
)
ENVIRONMENT = Topic(
    "environment",
    "Environment",
    "Options take precedence over these variables. An empty variable counts as unset."
    " flux reads no .env files, and takes no token on the command line.",
    (
        (
            "FLUX_API_TOKEN",
            (
                "The token; takes precedence over ACEDATACLOUD_API_TOKEN and stored accounts, but"
                " not over --profile."
            ),
        ),
        ("ACEDATACLOUD_API_TOKEN", "The token, under the name other tools use."),
        (
            "FLUX_PROFILE",
            "The stored account to use; takes precedence over the one set by `flux auth switch`.",
        ),
        (
            "FLUX_API_BASE_URL",
            "The base URL of the service; takes precedence over ACEDATACLOUD_API_BASE_URL.",
        ),
        ("ACEDATACLOUD_API_BASE_URL", "The base URL, under the name other tools use."),
        ("FLUX_CONFIG_DIR", "Where tokens are stored, instead of the platform's config folder."),
        (
            "FLUX_JOURNAL",
            (
                "The file that records what was submitted, instead of one in the data folder; see"
                " `flux runs list`."
            ),
        ),
        (
            "HTTPS_PROXY, ALL_PROXY",
            "Proxy URL, http:// or https://. Not used for this machine itself.",
        ),
        ("NO_PROXY", "Hosts to reach without the proxy."),
        ("SSL_CERT_FILE, SSL_CERT_DIR", "CA certificates to trust instead of the system's."),
        ("NO_COLOR", "No colours."),
        ("TERM=dumb", "No colours, no live view, no title, no escape codes at all."),
        ("COLORTERM=truecolor", "Draw half blocks in 16 million colours instead of 256."),
        ("COLUMNS, LINES", "Window size, if the terminal reports a wrong one."),
        ("FLUX_DEBUG=1", "Print a full traceback for a bug in flux, to include in a report."),
        (
            "FLUX_MCP_TOKEN",
            (
                "Bearer token that clients of flux mcp --http must send; required beyond this"
                " machine."
            ),
        ),
        (
            "FLUX_TASK_*",
            (
                "Set for --exec commands: ID, STATE, MODEL, PROMPT, URL, URLS, PATH, PATHS,"
                " ERROR_CODE, ERROR_MESSAGE, TRACE_ID."
            ),
        ),
    ),
)
FORMATS = Topic(
    "formats",
    "Formats",
    "What -o writes to stdout. Notes, progress, errors and the summary, with the reasons"
    " for failures, go to stderr. Results are in the order of your ids, except in the"
    " live view and in reasons.",
    (
        ("auto", "A table on a terminal (a live view in watch), JSON lines elsewhere."),
        ("table", "State, id, model, age, duration, result and prompt, as far as they fit."),
        (
            "jsonl",
            (
                "One JSON object per line, written as soon as it is known; `flux schema` describes"
                " it. watch writes one line when it first sees a task and one for each change."
            ),
        ),
        ("json", "One array of the same objects, written at the end."),
        ("csv", "One row per task, with a header; safe to open in a spreadsheet."),
        ("ids", "Only the ids, for another flux or for xargs."),
        ("urls", "Only the URLs of the outputs."),
        (
            "reasons",
            (
                "Why tasks failed or got no answer, most frequent first, written at the end: a"
                " table on a terminal, otherwise JSON lines with code, message, count, ids (three"
                " examples) and state. Parts that vary between messages become `<id>`, `<url>` or"
                " `<n>`."
            ),
        ),
    ),
    "--state keeps only tasks in the given states, in every format. --fields id,state,outputs"
    " selects and orders the fields of jsonl, json and csv; in CSV,"
    " outputs becomes urls (and paths if files are saved), and error and cost take two"
    " columns each. --raw adds the service's own record to JSON and CSV as the field raw,"
    " which --fields can also name. Records of a run end with row and label, which CSV"
    " has as row and one column label.NAME for each label.",
)
STATES = Topic(
    "states",
    "States",
    "The service sends no state; flux derives it from the record, always by the same"
    " rules. A task that has succeeded or failed never changes again.",
    (
        ("pending", "Accepted but not started."),
        ("processing", "Started, or a response has begun to appear."),
        ("succeeded", "There is an output, or the service reports success and an end time."),
        ("failed", "The service reports failure, with an error or without an output."),
        (
            "not_found",
            (
                "The service does not know the id: it is mistyped, too old, from another account,"
                " or was submitted a moment ago. Reported only after asking twice."
            ),
        ),
        ("unknown", "No answer for this id; error says why. Ask again later."),
    ),
)
MISBEHAVIOURS = Topic(
    "misbehaviours",
    "Misbehaviours of the sandbox",
    "What `flux sandbox --misbehave NAME` does: everything the service has been seen to"
    " do, or that nothing rules out. Without this option, it behaves as documented.",
    [(name.value, name.meaning) for name in Misbehaviour],
)
TOPICS = {topic.name: topic for topic in (EXIT_CODES, ENVIRONMENT, FORMATS, STATES, MISBEHAVIOURS)}
