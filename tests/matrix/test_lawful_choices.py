"""Servers that choose otherwise than the reference server, lawfully, are accused of nothing."""

from typing import Any, Final

import pytest
from trio.testing import MockClock

from tests.matrix.laboratory import cases_of, judge
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls

# what is chosen: the laboratory's words for it, and the cases that are to bear it
LAWFUL: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "any local-part has a maildrop": ({"accept_any": True}, ("relay.",)),
    "any local-part has a maildrop, and there is no sink": ({"accept_any": True, "with_sink": False}, ("relay.",)),
    "there is no sink": ({"with_sink": False}, ("relay.",)),
}


@pytest.mark.parametrize("choice", LAWFUL)
async def test_a_lawful_choice_is_accused_of_nothing(choice: str, tls: Tls, autojump_clock: MockClock) -> None:
    circumstances, prefixes = LAWFUL[choice]
    assert accused(await judge(tls, cases_of(*prefixes), **circumstances)) == {}
