"""The baseline: failures that are known, each with a reason and a day on which it must be looked at again."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from reports.document import CaseResult
from reports.errors import UserError

_UNDECIDED: Final = {"inconclusive", "not-applicable", "error"}      # says nothing of a failure that was there


class Known(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One failure that fails no gate."""

    id: Annotated[str, Meta(min_length=1)]           # a case's, or that of a passive requirement
    reason: Annotated[str, Meta(min_length=1)]
    expires: date                                    # the last day on which it counts


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    known: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one file says is known. Invariant: no id twice, and every id is one that a run may report."""

    known: tuple[Known, ...]

    def applied(self, results: Sequence[CaseResult], today: date) -> tuple[CaseResult, ...]:
        """Return the results, the failures that are known and not expired marked so."""
        valid = [known for known in self.known if today <= known.expires]
        reasons = {known.id: f"{known.reason} (until {known.expires})" for known in valid}
        return tuple(
            msgspec.structs.replace(case, known=reasons[case.id])
            if case.verdict == "fail" and case.id in reasons else case
            for case in results
        )  # fmt: skip

    def notes(self, results: Sequence[CaseResult], today: date) -> Iterator[str]:
        """Say which entries the file could do without, and which have expired."""
        verdicts = {case.id: case.verdict for case in results}
        for known in self.known:
            verdict = verdicts.get(known.id)
            if verdict == "fail" and known.expires < today:
                yield f"the baseline knew {known.id} until {known.expires}: it fails again from that day on"
            elif verdict is not None and verdict != "fail" and verdict not in _UNDECIDED:
                yield f"{known.id} fails no more ({verdict}): it can be taken out of the baseline"


def read_baseline(path: Path, ids: Collection[str]) -> Baseline:
    """Return a file's baseline. UserError if it cannot be read, or names what is none of the ids there are."""
    try:
        known = msgspec.toml.decode(path.read_bytes(), type=_File).known
    except OSError as exc:
        raise UserError(f"cannot read {path}: {exc.strerror}") from None
    except msgspec.ValidationError as exc:
        what, _, where = str(exc).partition(" - at `$.")
        raise UserError(f"{path}: {where.rstrip('`')}: {what}" if where else f"{path}: {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise UserError(f"{path} is not TOML: {exc}") from None
    seen: set[str] = set()
    for number, entry in enumerate(known):
        if entry.id not in ids:
            raise UserError(
                f"{path}: known[{number}].id: there is no case and no passive requirement {entry.id}; "
                "a result shows each with its whole id"
            )
        if entry.id in seen:
            raise UserError(f"{path}: known[{number}].id: {entry.id} is there twice")
        seen.add(entry.id)
    return Baseline(known)
