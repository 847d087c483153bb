"""Maildirs filled for a retrieval, written as a delivery agent would leave them."""

import os
import shutil
from pathlib import Path

from benchmarks.clients.mail import mail_of

DELIVERED_S = 1_000_000_000       # the second in the files' names; any will do


def fill(root: Path, names: list[str], messages: int, octets: int, *, owner: str | None = None) -> None:
    """Make a Maildir of so many messages for each name, in place of what was there. `owner` is a user's name."""
    mail = mail_of(octets)
    for name in names:
        maildrop = root / name
        shutil.rmtree(maildrop, ignore_errors=True)
        for folder in ("cur", "new", "tmp"):
            (maildrop / folder).mkdir(parents=True)
        for number in range(messages):
            file = maildrop / "new" / f"{DELIVERED_S + number}.M{number}P1Q{number}.bench"
            file.write_bytes(mail)
            if owner is not None:
                shutil.chown(file, owner, owner)
        if owner is not None:
            for directory in (maildrop, *maildrop.iterdir()):
                shutil.chown(directory, owner, owner)
    os.sync()      # or the disk is still busy with it while the turn runs
