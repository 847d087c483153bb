"""What the pytest plugin asks of the suite: which cases there will be, and, once, what became of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Self

import trio

from conformance.baseline import read_baseline
from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.load import catalogue
from conformance.catalogue.requirement_set import requirement_set
from conformance.conform import Order, cases_for, conform
from conformance.conform_cli import declared_by, endpoint_at, ids_reported, requirements_of
from conformance.over_lmtp import with_twins
from conformance.runner import Manner
from conformance.selection import Selection
from reports.document import CaseResult, Document
from reports.errors import UserError
from reports.safe import inert


@dataclass(slots=True)
class Asked:
    """One order for all the items of a pytest run; it is carried out when the first of them asks for its result."""

    order: Order
    _results: dict[str, CaseResult] = field(default_factory=dict)

    @classmethod
    def by(
        cls, *, targets: Collection[str], options: Path | None, only: Collection[str], skip: Collection[str],
        profile_name: str | None, set_name: str | None, baseline: Path | None,
    ) -> Self:  # fmt: skip
        """Return the order that the options give. UserError."""
        register_all()
        cases = None if set_name is None else requirement_set(set_name).ids
        return cls(Order(
            endpoints=tuple(endpoint_at(url) for url in targets),
            declared=declared_by(options, [], [], leave_mail=False),
            selection=Selection(tuple(only), tuple(skip), requirements_of(profile_name, set_name), cases),
            manner=Manner(),
            requirement_set=set_name,
            profile=profile_name,
            baseline=None if baseline is None else read_baseline(baseline, ids_reported()),
            again=" ".join(["mailproof conform", *(["--options", str(options)] if options is not None else [])]),
        ))  # fmt: skip

    def ids(self) -> list[str]:
        """Return the ids of the cases that will be put. UserError if there is none."""
        chosen = self.order.selection.of(with_twins(CASES.values()), catalogue())
        ids = [case.id for endpoint in self.order.endpoints for case in cases_for(endpoint, chosen)]
        if not ids:
            raise UserError("nothing to run: no case of the selection is for the protocols of these targets")
        return list(dict.fromkeys(ids))

    def results(self) -> dict[str, CaseResult]:
        """Return what became of each case, by id. Judges the server at the first call."""
        if not self._results:
            document = trio.run(self._conform)
            assert document.conformance is not None
            self._results.update({case.id: case for case in document.conformance.cases})
        return self._results

    def overheard(self) -> list[CaseResult]:
        """Return what failed of the requirements that need no case: they are judged on every reply."""
        ids = set(self.ids())
        return [case for id_, case in self.results().items() if id_ not in ids and case.verdict == "fail"]

    async def _conform(self) -> Document:
        return await conform(
            self.order, list(CASES.values()), catalogue(), version=version("mailproof"), observe=lambda *_: None
        )


def told(case: CaseResult) -> str:
    """Return a failed case for people, hostile octets made safe."""
    lines = [
        f"{case.level}  {', '.join(case.sources)}", case.title, f"expected  {case.expected}", f"got       {case.got}",
        *case.transcript, f"again     {case.again}",
    ]  # fmt: skip
    return "\n".join(inert(line) for line in lines)
