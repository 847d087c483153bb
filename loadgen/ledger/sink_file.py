"""What a sink has received, by the file that it writes (`mailproof sink --keep FILE`): a line of JSON for each copy."""

import time
from collections.abc import Generator
from pathlib import Path

import msgspec

from loadgen.ledger.delivery import Copy, seen_then
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.steps import AT_ONCE
from reports.errors import UserError


class Kept(msgspec.Struct, frozen=True):
    """One copy, as the sink has it. Unknown keys are no trouble: its version may be another."""

    recipient: str
    message_id: str            # our own, from its header section; "" is none
    digest: str                # of its body, in hexadecimal
    at_ns: int                 # when it had come, on the monotonic clock of this machine
    body: bytes | None = None  # if the digest is not the one that its header tells


_DECODER = msgspec.json.Decoder(Kept)


class SinkFile:
    """The file of one sink, read as it grows."""

    def __init__(self, path: Path, origin_monotonic_ns: int) -> None:
        self._path = path
        self._origin_ns = origin_monotonic_ns
        self._offset = 0
        self._lines = 0

    def read(self, ledger: Ledger) -> Generator[None, None, None]:
        """Enter what has been added since the last time, in steps.

        UserError if it cannot be read or is none of a sink's.
        """
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                for line in stream:
                    if not line.endswith(b"\n"):
                        break                  # the rest of it is being written
                    self._offset += len(line)
                    self._lines += 1
                    self._enter(ledger, line)
                    if self._lines % AT_ONCE == 0:
                        yield
        except OSError as error:
            raise UserError(f"ledger.sink: {self._path} cannot be read: {error.strerror}") from None

    def _enter(self, ledger: Ledger, line: bytes) -> None:
        try:
            kept = _DECODER.decode(line)
            digest = bytes.fromhex(kept.digest)
        except (msgspec.DecodeError, ValueError) as error:
            raise UserError(f"ledger.sink: line {self._lines} of {self._path} is none of a sink's: {error}") from None
        copy = Copy(0, 0, "", kept.recipient, b"%d" % self._lines, digest, 0, None, self._lines, None)
        now_ns = time.monotonic_ns() - self._origin_ns
        ledger.found(kept.message_id, seen_then(copy, kept.at_ns - self._origin_ns, now_ns), kept.body)
