"""`python -m tests.conformance.catalogue.write_set 2026.2`: write a set of all that is executed now, and its digest."""

import hashlib
import sys
from pathlib import Path

from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.load import catalogue
from conformance.catalogue.requirement_set import set_text
from conformance.over_lmtp import with_twins

SETS = Path(__file__).parents[3] / "conformance" / "catalogue" / "sets"


def main(name: str) -> None:
    """Write the set's file, and print the line that freezes it."""
    register_all()
    cases = {case.id for case in with_twins(CASES.values())}
    passive = {row.id for row in catalogue().values() if row.passive}
    octets = set_text(name, cases | passive).encode()
    (SETS / f"{name}.txt").write_bytes(octets)
    sys.stdout.write(f'"{name}" = "{hashlib.sha256(octets).hexdigest()}"\n')


if __name__ == "__main__":
    main(sys.argv[1])
