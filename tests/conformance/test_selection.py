"""What is asked for: cases, and passive requirements that need some to be overheard in."""

import pytest

from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.load import catalogue
from conformance.selection import Selection
from reports.errors import UserError

register_all()
ALL = list(CASES.values())


def test_a_passive_requirement_alone_is_overheard_in_every_case() -> None:
    selection = Selection(only=("smtp.reply.crlf",), skip=("smtp.rset.*",))
    assert selection.of(ALL, catalogue()) == []
    heard_in = selection.heard_in(ALL, catalogue())
    assert {"smtp.noop.replies-250"} < {case.id for case in heard_in}
    assert not [case for case in heard_in if case.id.startswith("smtp.rset.")]


def test_with_a_case_beside_it_it_is_overheard_in_that_one() -> None:
    selection = Selection(only=("smtp.reply.crlf", "smtp.quit.closes"))
    assert [case.id for case in selection.of(ALL, catalogue())] == ["smtp.quit.closes"]


def test_where_only_cases_are_asked_for_none_is_put_to_overhear() -> None:
    selection = Selection(only=("smtp.quit.closes",), requirements=frozenset({"smtp.reply.crlf"}))
    assert selection.of(ALL, catalogue()) == selection.heard_in(ALL, catalogue()) == []


def test_a_glob_that_matches_neither_is_refused() -> None:
    with pytest.raises(UserError, match=r'--only "smtp\.nothing\.\*" matches no case'):
        Selection(only=("smtp.nothing.*", "smtp.reply.crlf")).of(ALL, catalogue())
