"""Kill a server again and again amid a load, and say what became of every 250: `make crash-proof`.

`python -m tests.interop.crash_proof [--crashes N]`. Postfix, with mail in its queue, must lose none; our own server in
memory must be caught for what it loses. Needs what tests/interop needs (`make interop-servers`). Some four minutes.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.interop.child import home
from tests.interop.crashing import Target, crashed, ours_in_memory, postfix_to_kill
from tests.interop.dovecot import running_dovecot
from tests.interop.mail_system import Accounts, Unusable
from tests.interop.standing import certificate_for_loopback
from tests.interop.test_run import Document

EVERY_S = 8
COLUMNS = ("sent", "accepted", "delivered_once", "duplicate_lawful", "ambiguous", "lost", "duplicate", "corrupt")


def prove(name: str, target: Target, directory: Path, crashes: int) -> Document:
    """Crash a server so often amid one load, and print what became of the mail."""
    options = (f"--crash-every={EVERY_S}s", "--set=crash.limit=5s")
    _, document = crashed(
        target, directory, settle="60s", seconds=EVERY_S * (crashes + 1), at=f"{EVERY_S}s", options=options
    )
    load, ledger = document["load"], document["ledger"]
    outages = [outage for moment in load["crash"]["moments"] for outage in moment["outages"]]
    backs = [(each["back_ns"] - each["began_ns"]) / 1e9 for each in outages if each["back_ns"] is not None]
    refused, cut = (sum(each[what] for each in outages) for what in ("refused", "cut"))
    counts = ", ".join(f"{ledger[column]:,} {column.replace('_', ' ')}" for column in COLUMNS)
    sys.stdout.write(
        f"{name}: {len(load['crash']['moments'])} crashes; {refused} sessions refused, {cut} cut; back after "
        f"{min(backs):.2f} to {max(backs):.2f} s\n  deliveries: {counts}\n"
    )
    sys.stdout.flush()
    return document


def main() -> int:
    """Prove it of both; return 1 if Postfix lost anything, or our own server was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=10)
    crashes: int = parser.parse_args().crashes
    with ExitStack() as standing:
        ours = standing.enter_context(home("crash-ours"))
        caught = prove("our server, in memory", standing.enter_context(ours_in_memory(ours)), ours, crashes)
        try:
            certificate = standing.enter_context(certificate_for_loopback())
            dovecot = standing.enter_context(running_dovecot(certificate, Accounts()))
            place = standing.enter_context(home("crash-postfix"))
            target = standing.enter_context(postfix_to_kill(certificate, dovecot, place))
        except Unusable as reason:
            sys.stdout.write(f"Postfix: not tried: {reason}\n")
            return 1
        kept = prove("Postfix", target, place, crashes)
    lost = kept["ledger"]["lost"] + kept["ledger"]["duplicate"] + kept["ledger"]["corrupt"]
    return 0 if not lost and caught["ledger"]["lost"] else 1


if __name__ == "__main__":
    sys.exit(main())
