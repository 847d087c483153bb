"""Requirement sets: frozen by their release, and ids that are never used twice."""

import hashlib
from dataclasses import replace

import pytest

from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.load import DATA, catalogue
from conformance.catalogue.requirement_set import read_set, requirement_set, requirement_sets, retired, set_text
from conformance.over_lmtp import with_twins
from conformance.selection import Selection
from reports.errors import UserError
from reports.exit_codes import ExitCode

register_all()

# The digests of what was released, kept a second time: a set that was released is not edited, nor is its digest.
RELEASED: dict[str, str] = {
    "2026.1": "4a50e226109aebe454b2a6a9a5910869be08330aaa5e0b226d40bd30f8ed86d2",
    "2026.2": "310439520b4aa5f3aaae6d17681eb7cefadfd55ee7e9dbfb36b896f748a56124",
}


def test_released_sets_are_as_they_were_released() -> None:
    frozen = {name for name, found in requirement_sets().items() if found.frozen}
    assert frozen == set(RELEASED)
    for name, digest in RELEASED.items():
        assert hashlib.sha256((DATA / "sets" / f"{name}.txt").read_bytes()).hexdigest() == digest


def test_every_id_of_every_set_is_in_the_catalogue_or_retired() -> None:
    for found in requirement_sets().values():
        assert found.ids
        assert found.requirements <= catalogue().keys() | retired().keys()


def test_every_case_of_every_set_is_still_there_unless_its_requirement_is_retired() -> None:
    there = {case.id for case in with_twins(CASES.values())} | {row.id for row in catalogue().values() if row.passive}
    for found in requirement_sets().values():
        assert sorted(id_ for id_ in found.ids - there if id_.partition("#")[0] not in retired()) == []


def test_a_new_case_never_turns_an_old_gate_red() -> None:
    """Neither a new variant of a row that the set has, nor the first case of one that it has not, is put."""
    old = requirement_set("2026.1")
    selection = Selection(requirements=old.requirements, cases=old.ids)
    known = CASES["smtp.rset.replies-250"]
    newer = [replace(known, variant="thought-of-later"), replace(known, requirement="pop3.reply.status")]
    assert "pop3.reply.status" not in old.requirements
    assert selection.of([known, *newer], catalogue()) == [known]


def test_a_set_written_is_the_set_read() -> None:
    ids = frozenset({"smtp.quit.closes#b", "smtp.quit.closes#a", "smtp.reply.crlf", "lmtp.lhlo.ok"})
    text = set_text("2030.1", ids)
    assert text.splitlines()[1:] == ["smtp.reply.crlf", "smtp.quit.closes#a", "smtp.quit.closes#b", "lmtp.lhlo.ok"]
    found = read_set("2030.1", text.encode(), None)
    assert (found.ids, found.frozen) == (ids, False)


def test_a_set_that_was_changed_after_its_release_is_refused() -> None:
    released = set_text("2030.1", {"smtp.reply.crlf"}).encode()
    digest = hashlib.sha256(released).hexdigest()
    assert read_set("2030.1", released, digest).frozen
    with pytest.raises(CatalogueError, match=r"2030\.1 is not as it was released"):
        read_set("2030.1", released + b"smtp.quit.closes\n", digest)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("smtp.reply.crfl\n", r"names smtp\.reply\.crfl"), ("smtp.reply.crlf\n" * 2, "names an id twice")],
)
def test_a_set_that_names_what_is_not_there_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint) as raised:
        read_set("2030.1", text.encode(), None)
    assert raised.value.exit_code is ExitCode.OUR_BUG


def test_asking_for_a_set_that_is_not_there_says_which_there_are() -> None:
    assert requirement_set("2026.1").name == "2026.1"
    with pytest.raises(UserError, match=r"there is no requirement set 2025\.9; there is 2026\.1") as raised:
        requirement_set("2025.9")
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR
