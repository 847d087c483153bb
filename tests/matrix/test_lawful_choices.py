"""Servers that choose otherwise than the reference server, lawfully, are accused of nothing."""

import re
from typing import Any, Final

import msgspec
import pytest
from trio.testing import MockClock

from conformance.declared import Accounts
from conformance.refserver.behaviour import Behaviour
from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import SmtpState
from tests.matrix.laboratory import DECLARED, cases_of, judge
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls


def _makes_whole(session: SmtpState, content: bytes) -> bytes:
    """Make bare line ends whole: lawful, as it is done before dots are stuffed again."""
    return re.sub(rb"\r(?!\n)|(?<!\r)\n", b"\r\n", content)


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
    "a login must be had to send on, and none is declared": (
        {"declared": msgspec.structs.replace(DECLARED, accounts=Accounts(pop3=DECLARED.accounts.pop3))},
        ("bounce.", "smuggle.out."),
    ),
}


@pytest.mark.parametrize("choice", LAWFUL)
async def test_a_lawful_choice_is_accused_of_nothing(choice: str, tls: Tls, autojump_clock: MockClock) -> None:
    circumstances, prefixes = LAWFUL[choice]
    assert accused(await judge(tls, cases_of(*prefixes), **circumstances)) == {}
