"""All monitors over a session of POP3."""

from collections.abc import Iterable
from typing import Final

from conformance.monitors import pop3_grammar, pop3_lists
from conformance.monitors.monitor import Monitor, Tally
from conformance.monitors.pop3_exchange import Pop3Exchange, Pop3State

MONITORS: Final[tuple[Monitor[Pop3Exchange, Pop3State], ...]] = (*pop3_grammar.MONITORS, *pop3_lists.MONITORS)


def watch_pop3(exchanges: Iterable[Pop3Exchange]) -> Tally:
    """Hold every exchange of one session against every passive requirement of POP3."""
    state = Pop3State()
    tally = Tally()
    for exchange in exchanges:
        for monitor in MONITORS:
            for look in monitor.look(exchange, state):
                tally.add(look)
        state = state.after(exchange)
    return tally
