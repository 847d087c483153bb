"""`ledger.jsonl`: a line for each delivery that was not made exactly once, unchanged, for programs to read."""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from loadgen.ledger.delivery import Attempt, Copy, Delivery
from reports.errors import UserError


class SendingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One time that its mail data was sent. Instants: ns from the start of the run."""

    word: str
    code: int | None
    reverse_path: str
    intended_ns: int
    dot_ns: int | None
    reply_ns: int | None
    digest: str


class CopyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One copy that was found."""

    maildrop: str
    seen_ns: int
    unique_id: str
    digest: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery."""

    kind: str
    message_id: str
    recipient: str
    sentence: str
    sent: tuple[SendingLine, ...]
    found: tuple[CopyLine, ...]


class Record:
    """Writes the lines, if there is a file to write them to. A context; UserError if it cannot be written."""

    def __init__(self, path: Path | None, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        self._file: BinaryIO | None = None
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        """Open the file."""
        if self._path is not None:
            try:
                self._file = self._path.open("wb")
            except OSError as error:
                raise UserError(f"cannot write {self._path}: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close it."""
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as unwritten:             # what is buffered is written now
            if error is None:
                raise UserError(f"cannot write {self._path}: {unwritten.strerror}") from None

    def write(self, delivery: Delivery, sentence: str) -> None:
        """Write one line."""
        if self._file is None:
            return
        some = delivery.attempts[0] if delivery.attempts else delivery.copies[0]
        tail = some.stray if isinstance(some, Copy) and some.stray else f"{some.arrival}.{some.number}"
        line = Line(
            kind=delivery.kind,
            message_id=f"{self._prefix}{tail}",
            recipient=delivery.recipient,
            sentence=sentence,
            sent=tuple(map(_sending, delivery.attempts)),
            found=tuple(map(_copy, delivery.copies)),
        )
        try:
            self._file.write(self._encoder.encode(line) + b"\n")
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror}") from None


def _sending(one: Attempt) -> SendingLine:
    return SendingLine(
        word=one.word, code=one.code, reverse_path=one.reverse_path, intended_ns=one.intended_ns, dot_ns=one.dot_ns,
        reply_ns=one.reply_ns, digest=one.digest.hex(),
    )   # fmt: skip


def _copy(one: Copy) -> CopyLine:
    unique_id = one.unique_id if isinstance(one.unique_id, int) else one.unique_id.decode("ascii", "backslashreplace")
    return CopyLine(maildrop=one.maildrop, seen_ns=one.seen_ns, unique_id=str(unique_id), digest=one.digest.hex())
