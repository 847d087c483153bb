"""All monitors over a session of POP3."""

from collections.abc import Hashable, Iterable
from typing import Final

from conformance.monitors import pop3_grammar, pop3_lists
from conformance.monitors.memo import Memo
from conformance.monitors.monitor import Monitors, Tally
from conformance.monitors.pop3_exchange import Pop3Exchange, Pop3State
from loadgen.wire.reply import USUAL_OCTETS

MONITORS: Final = (*pop3_grammar.MONITORS, *pop3_lists.MONITORS)


class Pop3Memo(Memo[Pop3Exchange, Pop3State]):
    """What the monitors of POP3 saw in responses that came before."""

    monitors = Monitors(MONITORS)

    def all_that_matters(self, exchange: Pop3Exchange, state: Pop3State) -> Hashable | None:
        """See Memo. Of a list nothing is kept, nor of what repeats a password. A message is looked through."""
        response = exchange.response
        if response is None or exchange.rest or exchange.extra:
            return None
        if response.body is not None and not pop3_lists.is_sound_message(exchange, state):
            return None
        passwords = pop3_grammar.passwords_sent(exchange, state)
        if len(response.text) > USUAL_OCTETS or (passwords and pop3_grammar.echoes(exchange, state) is not None):
            return None
        return (
            response.text, response.ok, response.continues, response.deviations, exchange.asked, exchange.verb,
            not exchange.argument, exchange.extra is None, not passwords, state.utf8, pop3_lists.lists_codes(state),
        )


class Pop3Watch:
    """One session, watched as it goes."""

    def __init__(self, *, tally: Tally | None = None, memo: Pop3Memo | None = None) -> None:
        """`tally` and `memo` may be those of the sessions before it."""
        self.tally = Tally() if tally is None else tally
        self._memo = Pop3Memo() if memo is None else memo
        self._state = Pop3State()

    def see(self, exchange: Pop3Exchange) -> None:
        """Hold one exchange against every passive requirement of POP3."""
        self.tally.add_all(self._memo.look_at(exchange, self._state))
        self._state = self._state.after(exchange)


def watch_pop3(exchanges: Iterable[Pop3Exchange]) -> Tally:
    """Hold every exchange of one session against every passive requirement of POP3."""
    watch = Pop3Watch()
    for exchange in exchanges:
        watch.see(exchange)
    return watch.tally
