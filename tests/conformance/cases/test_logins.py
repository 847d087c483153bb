"""What two logins that fail tell of who exists: nothing, where a server only could not just then."""

from base64 import b64decode

import pytest
from trio.testing import MockClock

from conformance.judgement import CaseVerdict
from conformance.refserver import replies
from conformance.refserver.behaviour import Behaviour
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState
from tests.matrix.laboratory import cases_of, judge
from tests.session.theatre import Tls

ASKED = "smtp.auth.user-enum-reply"


def refuses(code: int, status: str, *, strangers: bool, users: bool) -> Behaviour:
    """Return a server that answers logins that are wrong otherwise than by 535."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if verb != b"AUTH" or reply is None or reply.code != 535:
            return reply
        stranger = b"nobody-" in b64decode(argument.rpartition(b" ")[2])
        return replies.reply(code, status, "As told") if (strangers if stranger else users) else reply

    return Behaviour(faults=(Fault("other-refusal", "some logins are refused otherwise", around=around),))


@pytest.mark.parametrize(
    ("strangers", "users"), [(True, False), (False, True), (True, True)], ids=["strangers", "users", "both"]
)
@pytest.mark.parametrize(("code", "status"), [(454, "4.7.0"), (421, "4.3.2")])
async def test_a_4yz_tells_nothing_of_who_exists(
    code: int, status: str, strangers: bool, users: bool, tls: Tls, autojump_clock: MockClock
) -> None:
    server = refuses(code, status, strangers=strangers, users=users)
    finding = (await judge(tls, cases_of(ASKED), server))[ASKED]
    assert finding.verdict is CaseVerdict.INCONCLUSIVE
    assert f"{code} " in finding.got


async def test_two_refusals_for_good_that_differ_do(tls: Tls, autojump_clock: MockClock) -> None:
    server = refuses(550, "5.1.1", strangers=True, users=False)
    finding = (await judge(tls, cases_of(ASKED), server))[ASKED]
    assert finding.verdict is CaseVerdict.WEAK
