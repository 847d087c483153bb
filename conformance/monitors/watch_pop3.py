"""All monitors over a session of POP3."""

from collections.abc import Iterable
from typing import Final

from conformance.monitors import pop3_grammar, pop3_lists
from conformance.monitors.monitor import Monitor, Tally
from conformance.monitors.pop3_exchange import Pop3Exchange, Pop3State

MONITORS: Final[tuple[Monitor[Pop3Exchange, Pop3State], ...]] = (*pop3_grammar.MONITORS, *pop3_lists.MONITORS)


class Pop3Watch:
    """One session, watched as it goes."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._state = Pop3State()

    def see(self, exchange: Pop3Exchange) -> None:
        """Hold one exchange against every passive requirement of POP3."""
        for monitor in MONITORS:
            for look in monitor.look(exchange, self._state):
                self.tally.add(look)
        self._state = self._state.after(exchange)


def watch_pop3(exchanges: Iterable[Pop3Exchange]) -> Tally:
    """Hold every exchange of one session against every passive requirement of POP3."""
    watch = Pop3Watch()
    for exchange in exchanges:
        watch.see(exchange)
    return watch.tally
