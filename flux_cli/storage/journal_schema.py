"""The tables of the journal. A migration that was released never changes: add another one."""

APPLICATION = 0x464C5558  # "FLUX", in the header of the file
MIGRATIONS = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        is_named INTEGER NOT NULL,
        base_url TEXT NOT NULL,
        created_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE submissions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        path TEXT NOT NULL,
        body TEXT NOT NULL,
        retry_of TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('planned', 'sending', 'accepted', 'refused', 'unknown')),
        sent_at REAL,
        clock_skew REAL,
        sent_by INTEGER,
        task_id TEXT UNIQUE,
        is_adopted INTEGER NOT NULL DEFAULT 0,
        trace_id TEXT,
        error_code TEXT,
        error_message TEXT,
        CHECK ((state = 'accepted') = (task_id IS NOT NULL))
    ) STRICT;
    CREATE TABLE entries (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        row INTEGER NOT NULL,
        submission INTEGER NOT NULL REFERENCES submissions (number) ON DELETE CASCADE,
        labels TEXT NOT NULL,
        PRIMARY KEY (run, row),
        UNIQUE (run, submission)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX submissions_by_key ON submissions (key);
    CREATE INDEX entries_by_submission ON entries (submission);
    """,
)
