"""All monitors over a session of SMTP or LMTP."""

from collections.abc import Iterable
from typing import Final

from conformance.monitors import answers, auth, enhanced, grammar, leaks, sessions
from conformance.monitors.exchange import Exchange, SmtpState
from conformance.monitors.monitor import Monitor, Tally

MONITORS: Final[tuple[Monitor[Exchange, SmtpState], ...]] = (
    *grammar.MONITORS, *answers.MONITORS, *enhanced.MONITORS, *auth.MONITORS, *leaks.MONITORS,
)


class SmtpWatch:
    """One session, watched as it goes. `tally` is complete once `end` was called."""

    def __init__(self, *, lmtp: bool = False) -> None:
        self.tally = Tally()
        self.steps: list[sessions.Step] = []
        self._state = SmtpState(lmtp=lmtp)

    def see(self, exchange: Exchange) -> None:
        """Hold one exchange against every passive requirement of SMTP and LMTP."""
        self.steps.append((exchange, self._state))
        for monitor in MONITORS:
            for look in monitor.look(exchange, self._state):
                self.tally.add(look)
        self._state = auth.remember(exchange, self._state.after(exchange))

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
