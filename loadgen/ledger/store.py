"""The ledger's tables: every attempt and every copy as a row of a file, so that memory does not grow with their number.

The file is an SQLite database, and is kept beside the result: whoever has a question that no report answers can ask
it there. Rows lie in the order of their messages, so the join at the end is one pass and sorts nothing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from loadgen.ledger.delivery import Attempt, Copy
from reports.errors import UserError

BATCH: Final = 4_096                 # rows of one kind that are entered at once
CACHE_KIB: Final = 65_536            # the memory that the database may use, whatever its size

_SCHEMA: Final = f"""
PRAGMA journal_mode = OFF;           -- a file that is new with every run: what breaks off is made again
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{CACHE_KIB};
CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE attempt (
    arrival INTEGER, number INTEGER, recipient TEXT, entry INTEGER,
    word TEXT, code INTEGER, reverse_path TEXT, digest BLOB, intended_ns INTEGER, dot_ns INTEGER, reply_ns INTEGER,
    PRIMARY KEY (arrival, number, recipient, entry)
) WITHOUT ROWID;
CREATE TABLE copy (
    arrival INTEGER, number INTEGER, stray TEXT, maildrop TEXT, unique_id, digest BLOB,
    seen_ns INTEGER, look_ns INTEGER, position INTEGER,
    PRIMARY KEY (arrival, number, stray, maildrop, unique_id, digest)
) WITHOUT ROWID;
CREATE TABLE look (maildrop TEXT, at_ns INTEGER, PRIMARY KEY (maildrop, at_ns)) WITHOUT ROWID;
CREATE TABLE evidence (
    arrival INTEGER, number INTEGER, maildrop TEXT, body BLOB, PRIMARY KEY (arrival, number, maildrop)
) WITHOUT ROWID;
CREATE TABLE irregular (arrival INTEGER, number INTEGER, recipient TEXT, kind TEXT, sentence TEXT);
"""
_OWED: Final = """
CREATE TEMP TABLE owed (
    arrival INTEGER, number INTEGER, maildrop TEXT, PRIMARY KEY (arrival, number, maildrop)
) WITHOUT ROWID;
INSERT INTO owed SELECT DISTINCT arrival, number, recipient FROM attempt
    WHERE word = 'accepted' AND NOT EXISTS (
        SELECT 1 FROM copy WHERE copy.arrival = attempt.arrival AND copy.number = attempt.number
            AND copy.stray = '' AND copy.maildrop = attempt.recipient
    );
"""
_ADD_COPY: Final = """
INSERT INTO copy VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET seen_ns = excluded.seen_ns, look_ns = excluded.look_ns, position = excluded.position
    WHERE excluded.seen_ns < seen_ns
"""
_COPIES: Final = """
SELECT arrival, number, stray, maildrop, unique_id, digest, seen_ns, look_ns, position,
    (SELECT max(at_ns) FROM look WHERE look.maildrop = copy.maildrop AND look.at_ns < copy.look_ns)
FROM copy ORDER BY arrival, number, stray
"""
_ATTEMPTS: Final = """
SELECT arrival, number, recipient, word, code, reverse_path, digest, intended_ns, dot_ns, reply_ns
FROM attempt ORDER BY arrival, number, recipient, entry
"""


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Raise UserError where the file cannot be written, or read: its disk is full, or it is not what it was."""
    try:
        yield
    except sqlite3.Error as error:
        raise UserError(f"the ledger cannot be {what}: {error}") from None


class Store:
    """Rows of one run; UserError where the file does not take them, or give them back.

    Everything is entered in batches; what asks enters the rest first.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Make the tables in a new file, or in memory. UserError if there can be none."""
        try:
            if path is not None:
                path.unlink(missing_ok=True)
            self._database = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the ledger cannot be kept in {path}: {error}") from None
        self._attempts: list[tuple[object, ...]] = []
        self._copies: list[tuple[object, ...]] = []
        self._looks: list[tuple[str, int]] = []
        self._entries = 0
        self._owing: dict[str, int] | None = None      # maildrop -> deliveries not found; None: nobody has asked

    def about(self, name: str, value: object) -> None:
        """Note a fact of the run."""
        self._write("INSERT OR REPLACE INTO about VALUES (?, ?)", name, value)

    def add_attempt(self, one: Attempt) -> None:
        """Enter one attempt."""
        self._entries += 1
        self._attempts.append((*one[:3], self._entries, *one[3:]))
        if len(self._attempts) >= BATCH:
            self.flush()

    def add_copy(self, one: Copy) -> None:
        """Enter one copy; if it is known, when it was seen first."""
        self._copies.append(one[:-1])
        if len(self._copies) >= BATCH:
            self.flush()

    def add_look(self, maildrop: str, at_ns: int) -> None:
        """Enter that a maildrop was read from end to end, by a look that began then."""
        self._looks.append((maildrop, at_ns))

    def add_evidence(self, arrival: int, number: int, maildrop: str, body: bytes) -> None:
        """Keep a body that was changed."""
        self._write("INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?)", arrival, number, maildrop, body)

    def add_irregular(self, arrival: int, number: int, recipient: str, kind: str, sentence: str) -> None:
        """Keep the judgement on one delivery."""
        self._write("INSERT INTO irregular VALUES (?, ?, ?, ?, ?)", arrival, number, recipient, kind, sentence)

    def forget_irregulars(self) -> None:
        """Drop the judgements: they are made anew."""
        self._write("DELETE FROM irregular")

    def flush(self) -> None:
        """Enter what waits."""
        attempts, copies, looks = self._attempts, self._copies, self._looks
        self._attempts, self._copies, self._looks = [], [], []
        with _said("written"), self._transaction():
            self._database.executemany("INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", attempts)
            self._database.executemany(_ADD_COPY, copies)
            self._database.executemany("INSERT OR IGNORE INTO look VALUES (?, ?)", looks)
        if attempts and self._owing is not None:
            self._owing = None                         # asked before all was entered: counted anew
            self._write("DROP TABLE owed")
        for arrival, number, stray, maildrop, *_ in copies if self._owing else ():
            if not stray:
                self._found(arrival, number, str(maildrop))

    def owing(self) -> dict[str, int]:
        """Return how many accepted deliveries have not been found, by maildrop."""
        self.flush()
        if self._owing is None:
            with _said("read"):
                self._database.executescript(_OWED)
                self._owing = dict(self._database.execute("SELECT maildrop, count(*) FROM owed GROUP BY maildrop"))
        return self._owing

    def recipients(self) -> Iterator[str]:
        """Yield everybody that mail data was sent for."""
        return (name for (name,) in self._rows("SELECT DISTINCT recipient FROM attempt"))

    def attempts(self) -> Iterator[Attempt]:
        """Yield every attempt, message by message."""
        return map(Attempt._make, self._rows(_ATTEMPTS))

    def copies(self) -> Iterator[Copy]:
        """Yield every copy, message by message."""
        return map(Copy._make, self._rows(_COPIES))

    def evidence(self, arrival: int, number: int, maildrop: str) -> bytes | None:
        """Return the body of a message that was changed; None: it was not kept."""
        with _said("read"):
            found = self._database.execute(
                "SELECT body FROM evidence WHERE arrival = ? AND number = ? AND maildrop = ?",
                (arrival, number, maildrop),
            ).fetchone()
        return None if found is None else bytes(found[0])

    def close(self) -> None:
        """Leave the file as it is."""
        self._database.close()

    def _write(self, statement: str, *values: object) -> sqlite3.Cursor:
        with _said("written"):
            return self._database.execute(statement, values)

    def _rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        self.flush()
        with _said("read"):
            yield from self._database.execute(question)

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN")
        return self._database                          # as a context: commits at its end

    def _found(self, arrival: object, number: object, maildrop: str) -> None:
        assert self._owing is not None
        gone = self._write(
            "DELETE FROM owed WHERE arrival = ? AND number = ? AND maildrop = ?", arrival, number, maildrop
        )
        if gone.rowcount:
            self._owing[maildrop] -= 1
            if not self._owing[maildrop]:
                del self._owing[maildrop]
