"""All monitors over a session of SMTP or LMTP."""

from collections.abc import Iterable
from typing import Final

from conformance.monitors import answers, auth, enhanced, grammar, leaks, sessions
from conformance.monitors.exchange import Exchange, SmtpState
from conformance.monitors.monitor import Monitor, Tally

MONITORS: Final[tuple[Monitor[Exchange, SmtpState], ...]] = (
    *grammar.MONITORS, *answers.MONITORS, *enhanced.MONITORS, *auth.MONITORS, *leaks.MONITORS,
)


def watch_smtp(
    exchanges: Iterable[Exchange], *, lmtp: bool = False, banners: sessions.Banners | None = None
) -> Tally:
    """Hold every exchange of one session against every passive requirement of SMTP and LMTP.

    `banners` gathers what a whole run is compared by; its own looks are taken when the run is over.
    """
    state = SmtpState(lmtp=lmtp)
    steps: list[sessions.Step] = []
    tally = Tally()
    for exchange in exchanges:
        steps.append((exchange, state))
        for monitor in MONITORS:
            for look in monitor.look(exchange, state):
                tally.add(look)
        state = auth.remember(exchange, state.after(exchange))
    for look in (*sessions.shuts_down_when_it_says_so(steps), *sessions.answers_each_recipient_once(steps)):
        tally.add(look)
    if banners is not None:
        banners.add(steps)
    return tally
