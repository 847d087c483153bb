"""What makes a server slow: a long wait alone proves nothing of what was sent, on a busy machine least of all."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from conformance.answer import Answer

SLEEP_S: Final = 4.0                 # what the commands in arguments ask for, if a shell ran them
APART_S: Final = SLEEP_S - 1
PAST_LINEAR: Final = 3.0
_TOLD: Final = re.compile(rb"(\bsleep(?: |\$\{IFS\}))4")


async def sleeps_as_told(ask: Callable[[bytes], Awaitable[Answer]], told: bytes, first: Answer) -> bool:
    """Say whether a server runs the `sleep` in what it was told, by its first answer and two more.

    It does if it answers late each time it is told to sleep, and at once when told to sleep for no time: what looks
    names up or slows down after errors is as late then.
    """
    not_at_all = _TOLD.sub(rb"\g<1>0", told)
    if not_at_all == told or first.waited_s < SLEEP_S:
        return False
    idle, again = await ask(not_at_all), await ask(told)
    all_answered = all(answer.reply is not None for answer in (first, idle, again))
    return all_answered and min(first.waited_s, again.waited_s) - idle.waited_s > APART_S


def grows_past_its_size(whole_s: float, part_s: float, parts: int) -> bool:
    """Say whether the whole took far longer than so many times its part: quadratic work takes parts² as long."""
    return whole_s > PAST_LINEAR * parts * part_s
