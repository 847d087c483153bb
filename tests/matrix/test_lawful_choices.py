"""Servers that choose otherwise than the reference server, lawfully, are accused of nothing."""

import re
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest
from trio.testing import MockClock

from conformance.declared import Accounts, Declared, Session
from conformance.refserver import replies
from conformance.refserver.behaviour import LOGIN, PLAIN, RARE, Behaviour, Extension
from conformance.refserver.choices import CHOICES
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import SmtpState
from tests.matrix.laboratory import DECLARED, LIMITS, cases_of, judge
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls


def _makes_whole(session: SmtpState, content: bytes) -> bytes:
    """Make bare line ends whole: lawful, as it is done before dots are stuffed again."""
    return re.sub(rb"\r(?!\n)|(?<!\r)\n", b"\r\n", content)


def _in_two_lines(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Say in two lines what becomes of a message."""
    return octets[:3] + b"-" + octets[4:] + octets if verb in {b".", b"BDAT"} else octets


def _hangs_up(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """End the session at a BDAT that is none: nobody knows what follows it."""
    reply = go_on()
    if verb == b"BDAT" and reply is not None and reply.refuses:
        session.after = After.CLOSE
    return reply


def _names_each_once(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse a recipient that was named before."""
    named = session.transaction.recipients if session.transaction is not None else []
    twice = any(b"<" + one.path.mailbox.lower() + b">" in argument.lower() for one in named)
    return replies.NO_SUCH_MAILBOX if verb == b"RCPT" and twice else go_on()


def _minds_case(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.NO_SUCH_MAILBOX if verb == b"RCPT" and b"USER" in argument else go_on()


def _otherwise(name: str, **points: Any) -> Behaviour:
    """Return the behaviour of a server that is lawful in a way which is written as a fault."""
    return Behaviour(faults=(Fault(name, "lawful", **points),))


CHUNKS: Final = ("smtp.bdat.", "smtp.binary.")
SECURITY: Final = (
    "smtp.auth.", "sasl.", "submit.", "smtp.tls.", "core.cross-session", "hard.inject-", "hard.debug-verbs",
)
USUAL: Final = frozenset(Extension) - RARE
DELIVERY: Final = ("trace.", "relay.", "bounce.", "smuggle.out.", "smtp.size.")
WHOLE: Final = Behaviour(faults=(Fault("makes-whole", "bare line ends are made whole", content=_makes_whole),))

# what is chosen: the laboratory's words for it, and the cases that are to bear it
LAWFUL: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "any local-part has a maildrop": ({"accept_any": True}, ("relay.",)),
    "any local-part has a maildrop, and there is no sink": ({"accept_any": True, "with_sink": False}, ("relay.",)),
    "there is no sink": ({"with_sink": False}, ("relay.", "bounce.", "smuggle.out.")),
    "bare line ends are made whole": ({"behaviour": WHOLE}, ("smuggle.",)),
    "there are no enhanced status codes, and no extensions": (
        {"behaviour": Behaviour(extensions=frozenset())}, ("trace.", "relay.", "smtp.size.", "bounce."),
    ),
    "half of the messages are put off": ({"behaviour": Behaviour(tempfail=0.5)}, DELIVERY),
    "who is new has to come again": ({"behaviour": Behaviour(greylisting_s=1.0)}, DELIVERY),
    "passwords are taken in TLS alone": ({"behaviour": Behaviour(clear_text_passwords=False)}, DELIVERY),
    "there is no CHUNKING": ({"behaviour": Behaviour(extensions=frozenset())}, CHUNKS),
    "there is CHUNKING alone": ({"behaviour": Behaviour(extensions=frozenset({Extension.CHUNKING}))}, CHUNKS),
    "half of the chunked messages are put off": ({"behaviour": Behaviour(tempfail=0.5)}, CHUNKS),
    "who is new with chunks has to come again": ({"behaviour": Behaviour(greylisting_s=1.0)}, CHUNKS),
    "a malformed BDAT ends the session": ({"behaviour": _otherwise("hangs-up", around=_hangs_up)}, CHUNKS),
    "a reply has two lines": ({"behaviour": _otherwise("two-lines", outgoing=_in_two_lines)}, CHUNKS),
    "LMTP: full maildrops are told at RCPT": ({"protocol": "lmtp"}, ("lmtp.",)),
    "LMTP: half of the messages are put off": (
        {"protocol": "lmtp", "behaviour": Behaviour(tempfail=0.5, quota_at_rcpt=False)}, ("lmtp.", *CHUNKS),
    ),
    "LMTP: a reply has two lines": (
        {"protocol": "lmtp", "behaviour": _otherwise("two-lines", outgoing=_in_two_lines)}, ("lmtp.", *CHUNKS),
    ),
    "LMTP: nobody is named twice": (
        {"protocol": "lmtp", "behaviour": _otherwise("each-once", around=_names_each_once)}, ("lmtp.", *CHUNKS),
    ),
    "LMTP: the case of a local-part counts": (
        {"protocol": "lmtp", "behaviour": _otherwise("minds-case", around=_minds_case)}, ("lmtp.",),
    ),
    "LMTP: ten recipients are enough": (
        {"protocol": "lmtp", "limits": replace(LIMITS, recipients=10)}, ("lmtp.",),
    ),
    "passwords are taken in TLS alone, by two mechanisms": (
        {"behaviour": Behaviour(clear_text_passwords=False, smtp_mechanisms=(PLAIN, LOGIN))}, SECURITY,
    ),
    "nobody can log in": ({"behaviour": Behaviour(extensions=USUAL - {Extension.AUTH})}, SECURITY),
    "no TLS is to be had": ({"behaviour": Behaviour(extensions=USUAL - {Extension.STARTTLS})}, SECURITY),
    "TLS is implicit": ({"implicit_tls": True}, SECURITY),
    "nothing is declared": ({"declared": Declared()}, SECURITY),
    "mail is for users who have logged in, in TLS": (
        {
            "behaviour": Behaviour(login_required=True, clear_text_passwords=False),
            "declared": msgspec.structs.replace(
                DECLARED,
                session=Session(login=True, tls="starttls"),
                claims=msgspec.structs.replace(DECLARED.claims, submission=True, no_trusted_networks=True),
            ),
        },
        SECURITY,
    ),
    "a login must be had to send on, and none is declared": (
        {"declared": msgspec.structs.replace(DECLARED, accounts=Accounts(pop3=DECLARED.accounts.pop3))},
        ("bounce.", "smuggle.out."),
    ),
    "POP3: no name has more than 32 octets": (
        {"protocol": "pop3", "behaviour": Behaviour(faults=(CHOICES["pop3-names-of-32"],))}, ("pop3.cmd.",),
    ),
}


@pytest.mark.parametrize("choice", LAWFUL)
async def test_a_lawful_choice_is_accused_of_nothing(choice: str, tls: Tls, autojump_clock: MockClock) -> None:
    circumstances, prefixes = LAWFUL[choice]
    assert accused(await judge(tls, cases_of(*prefixes), **circumstances)) == {}
