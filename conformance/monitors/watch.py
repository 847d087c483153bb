"""All monitors over a session of SMTP or LMTP."""

from collections.abc import Hashable, Iterable
from typing import Final

from conformance.monitors import answers, auth, enhanced, grammar, leaks, sessions
from conformance.monitors.exchange import Exchange, SmtpState
from conformance.monitors.memo import Memo
from conformance.monitors.monitor import Monitors, Tally
from loadgen.wire.reply import USUAL_OCTETS

MONITORS: Final = (
    *grammar.MONITORS, *answers.MONITORS, *enhanced.MONITORS, *auth.MONITORS, *leaks.MONITORS,
)


class SmtpMemo(Memo[Exchange, SmtpState]):
    """What the monitors of SMTP and LMTP saw in replies that came before."""

    monitors = Monitors(MONITORS)

    def all_that_matters(self, exchange: Exchange, state: SmtpState) -> Hashable | None:
        """See Memo. Of a reply in a login nothing is kept, nor of one that may repeat what the client has said."""
        reply = exchange.reply
        if reply is None or exchange.rest or exchange.authenticates or state.secrets:
            return None
        greeting = state.greeting.octets if exchange.says_hello and state.greeting is not None else b""
        if max(len(reply.octets), len(greeting)) > USUAL_OCTETS or leaks.suspects(reply.octets):
            return None
        return (
            reply.octets, exchange.asked, exchange.verb, greeting, state.lmtp, state.offers(enhanced.OFFERED),
            state.offers(leaks.SMTPUTF8), grammar.allows_utf8(exchange, state),
        )


class SmtpWatch:
    """One session, watched as it goes. `tally` is complete once `end` was called."""

    def __init__(self, *, lmtp: bool = False, tally: Tally | None = None, memo: SmtpMemo | None = None) -> None:
        """`tally` and `memo` may be those of the sessions before it."""
        self.tally = Tally() if tally is None else tally
        self.steps: list[sessions.Step] = []
        self._memo = SmtpMemo() if memo is None else memo
        self._state = SmtpState(lmtp=lmtp)

    def see(self, exchange: Exchange) -> None:
        """Hold one exchange against every passive requirement of SMTP and LMTP."""
        state = self._state
        self.steps.append((exchange, state))
        self.tally.add_all(self._memo.look_at(exchange, state))
        self._state = auth.remember(exchange, state.after(exchange))

    def end(self) -> None:
        """Take the looks that need the whole session."""
        for look in sessions.shuts_down_when_it_says_so(self.steps):
            self.tally.add(look)
        for look in sessions.answers_each_recipient_once(self.steps):
            self.tally.add(look)


def watch_smtp(
    exchanges: Iterable[Exchange], *, lmtp: bool = False, banners: sessions.Banners | None = None
) -> Tally:
    """Watch one session from end to end.

    `banners` gathers what a whole run is compared by; its own looks are taken when the run is over.
    """
    watch = SmtpWatch(lmtp=lmtp)
    for exchange in exchanges:
        watch.see(exchange)
    watch.end()
    if banners is not None:
        banners.add(watch.steps)
    return watch.tally
