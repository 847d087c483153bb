"""The list of all rows, and the counts under it: the denominator stays honest."""

import pytest
from msgspec.structs import replace

from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.listing import Counts, Entry, How, count, count_by_family, how, listing
from conformance.catalogue.load import catalogue
from conformance.catalogue.profile import profile

CASES = ["smtp.rset.replies-250", "smtp.ehlo.control-octet#nul", "smtp.ehlo.control-octet#bel"]


def test_every_row_is_listed_once_and_every_way_is_counted() -> None:
    groups = listing(CASES)
    entries = [entry for group in groups for entry in group.entries]
    assert [entry.requirement.id for entry in entries] == list(catalogue())
    counts = count(entries)
    reasons = sum(bool(row.why_not_executed) for row in catalogue().values())
    assert counts == Counts(1107, by_case=2, by_monitor=51, with_reason=reasons, without=1054 - reasons)
    assert counts.executed == 53


def test_a_section_counts_its_own_rows() -> None:
    (group,) = (group for group in listing(CASES) if group.title.startswith("RSET"))
    assert group.number == "10"
    assert (group.counts.planned, group.counts.by_case) == (34, 1)


def test_a_passive_row_is_a_monitors_unless_a_case_asks_for_it() -> None:
    row = catalogue()["smtp.reply.crlf"]
    assert how(row, set()) is How.MONITOR
    assert how(row, {row.id}) is How.CASE


def test_a_reason_counts_only_where_there_is_no_case() -> None:
    row = replace(catalogue()["smtp.tls.temp-unavailable"], why_not_executed="needs a server whose TLS is broken")
    assert how(row, set()) is How.REASON
    assert how(row, {row.id}) is How.CASE
    assert count([Entry(row, How.REASON)]).with_reason == 1


def test_what_is_left_out_is_not_counted() -> None:
    groups = listing(CASES, only=profile("pop3").ids())
    assert {"pop3", "x", "core"} == set(count_by_family(groups))
    assert sum(group.counts.planned for group in groups) == len(profile("pop3").ids())
    assert all(group.entries for group in groups)


def test_families_are_counted_across_sections() -> None:
    families = count_by_family(listing(CASES))
    assert families["smtp"].planned == 602
    assert families["smtp"].by_case == 2
    assert sum(counts.planned for counts in families.values()) == 1107


def test_a_case_of_no_requirement_is_our_own_mistake() -> None:
    with pytest.raises(CatalogueError, match=r"a case names smtp\.rset\.replise, which is no requirement"):
        listing(["smtp.rset.replise#x"])
