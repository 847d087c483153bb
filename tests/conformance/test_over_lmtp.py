"""Which cases an SMTP server is asked, and which an LMTP server."""

from conformance.case import Case
from conformance.catalogue.load import catalogue
from conformance.judgement import Judgement, satisfied
from conformance.over_lmtp import is_put_to, with_twins
from conformance.peer import SmtpPeer
from conformance.selection import Selection


async def ask(_peer: SmtpPeer) -> Judgement:
    return satisfied("")


def made(requirement: str, variant: str | None = None) -> Case:
    return Case(requirement, variant, ask, "A title")


CASES = [
    made("smtp.rset.replies-250"), made("smtp.rset.clears-envelope", "data"), made("smtp.helo.supported"),
    made("relay.plain"), made("lmtp.lhlo.ok"), made("lmtp.smtp.refuses-lhlo"), made("pop3.stat.format"),
]  # fmt: skip


def test_an_lmtp_server_is_asked_what_holds_for_lmtp_under_ids_that_say_so() -> None:
    put = [case.id for case in with_twins(CASES) if is_put_to(case, "lmtp")]
    assert put == ["lmtp.lhlo.ok", "smtp.rset.replies-250#lmtp", "smtp.rset.clears-envelope#lmtp-data"]


def test_an_smtp_server_is_asked_everything_else_but_for_pop3() -> None:
    put = [case.id for case in with_twins(CASES) if is_put_to(case, "smtp")]
    assert put == [
        "smtp.rset.replies-250", "smtp.rset.clears-envelope#data", "smtp.helo.supported", "relay.plain",
        "lmtp.smtp.refuses-lhlo",
    ]  # fmt: skip


def test_a_case_is_found_by_the_id_that_it_has_over_smtp_and_by_its_own() -> None:
    asked = with_twins(CASES)
    usual = Selection(only=("smtp.rset.clears-envelope#data",)).of(asked, catalogue())
    assert [case.id for case in usual] == ["smtp.rset.clears-envelope#data", "smtp.rset.clears-envelope#lmtp-data"]
    own = Selection(only=("smtp.rset.clears-envelope#lmtp-data",)).of(asked, catalogue())
    assert [case.id for case in own] == ["smtp.rset.clears-envelope#lmtp-data"]
