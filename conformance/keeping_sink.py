"""A sink that keeps what it receives in a file, for the ledger of a load to be held against.

It stands where a maildrop would: the server under test sends on, or delivers by LMTP, what a load has handed in; or
the load goes to it directly. A line of JSON tells each copy: for whom, our id, a digest of the body, and when it came;
and the body itself, if its digest is not the one that its own header tells.
"""

import base64
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Final

import trio

from conformance.sink import SinkSession, Transferred, talk
from conformance.sink_faults import Misfortunes
from loadgen.wire.transparency import unstuff
from reports.errors import UserError

DIGEST_OCTETS: Final = 16          # of BLAKE2b, as the load's own
BODY_OCTETS_MAX: Final = 1 << 18   # of a changed body; a larger one is told of, and not kept
ID_FIELD: Final = b"x-mailproof-id"
DIGEST_FIELD: Final = b"x-mailproof-digest"
OFFERS: Final = (b"8BITMIME", b"SMTPUTF8", b"PIPELINING")


class KeepingSink:
    """All that has come, over any number of connections, as lines of one file."""

    def __init__(self, path: Path, misfortunes: Misfortunes) -> None:
        """Open the file, and add to what is in it. UserError."""
        self.received = 0          # messages
        self.kept = 0              # lines: a message has one for each recipient
        self.misfortunes = misfortunes
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise UserError(f"--keep {path}: {error.strerror}") from None

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Talk to one client until it leaves. Raises nothing that a client can cause."""
        await talk(SinkSession(self.keep, lambda _: None, OFFERS), stream)

    def keep(self, one: Transferred) -> bool:
        """Keep a message, each recipient's copy for itself; say whether it is to be answered."""
        self.received += 1
        fault = self.misfortunes.of_the_next()
        at_ns = time.monotonic_ns()
        lines = [
            line_of(recipient, each, at_ns)
            for each in ((one,) if fault is None else fault.kept(one))
            for recipient in each.recipients
        ]
        self.kept += len(lines)
        os.write(self._file, b"".join(lines))
        return fault is None or fault.answers

    def told(self) -> dict[str, object]:
        """Return what there is to tell at the end."""
        return {"received": self.received, "kept": self.kept, "faults": dict(self.misfortunes.befell)}

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def line_of(recipient: bytes, one: Transferred, at_ns: int) -> bytes:
    """Return the line that tells of one copy."""
    header, _, body = unstuff(one.mail_data + b"\r\n.\r\n").partition(b"\r\n\r\n")
    named = (line.partition(b":") for line in header.split(b"\r\n"))
    fields = {name.lower(): value.strip() for name, _, value in named}
    digest = hashlib.blake2b(body, digest_size=DIGEST_OCTETS).hexdigest()
    told: dict[str, object] = {
        "recipient": recipient.decode("utf-8", "backslashreplace"),
        "message_id": fields.get(ID_FIELD, b"").decode("ascii", "replace"),
        "digest": digest,
        "at_ns": at_ns,
    }
    claimed = fields.get(DIGEST_FIELD)
    if claimed is not None and claimed.lower() != digest.encode("ascii") and len(body) <= BODY_OCTETS_MAX:
        told["body"] = base64.b64encode(body).decode("ascii")
    return json.dumps(told).encode("ascii") + b"\n"
