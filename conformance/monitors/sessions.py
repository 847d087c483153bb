"""Requirements that one exchange alone does not show: over a session, and over a run of sessions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.monitors.exchange import SHUTTING_DOWN, Asked, Exchange, SmtpState, keywords
from conformance.monitors.monitor import Look
from loadgen.wire.printable import printable

Step = tuple[Exchange, SmtpState]        # an exchange, and how the session stood before it

_SHUT_DOWN: Final = "smtp.reply.421-then-close"
_COUNTS_ONCE: Final = "lmtp.data.multiline-counts-once"
_SAME_BANNER: Final = "core.same-banner"
KINDS_KEPT: Final = 16        # of greetings and offers: a server that has more shows nothing new by them
REQUIREMENTS: Final = (_SHUT_DOWN, _COUNTS_ONCE, _SAME_BANNER)


def shuts_down_when_it_says_so(steps: Sequence[Step]) -> Iterator[Look]:
    """RFC 5321 §3.8: 421 comes before a close, and no mail transaction goes on behind it.

    Other answers behind it prove nothing: they may have been on their way. Looks once for each 421 of which the end
    is known.
    """
    for number, (exchange, _) in enumerate(steps):
        if exchange.code != SHUTTING_DOWN:
            continue
        later = [step for step, _ in steps[number + 1 :]]
        went_on = next((step for step in later if _goes_on(step)), None)
        if went_on is not None:
            yield Look(_SHUT_DOWN, f"{went_on.code} to {went_on.verb or went_on.asked.value} after a 421")
        elif exchange.closed_after is not None or later:
            yield Look(_SHUT_DOWN)


def _goes_on(exchange: Exchange) -> bool:
    """Say whether mail data are asked for. Replies to MAIL and RCPT, and LMTP's many, may have been on their way."""
    return exchange.verb == "DATA" and exchange.code == 354


def answers_each_recipient_once(steps: Sequence[Step]) -> Iterator[Look]:
    """RFC 2033 §4.2: a reply of several lines is one reply and stands for one recipient.

    Looks where such a reply follows the mail data and something else was answered later: then all have come.
    """
    at = 0
    while at < len(steps):
        exchange, state = steps[at]
        if not (state.lmtp and exchange.asked is Asked.MAIL_DATA):
            at += 1
            continue
        end = at
        while end < len(steps) and steps[end][0].asked is Asked.MAIL_DATA:
            end += 1
        final = [step for step, _ in steps[at:end]]
        if end < len(steps) and any(len(step.texts) > 1 for step in final):
            wrong = len(final) != state.accepted
            yield Look(_COUNTS_ONCE, f"{len(final)} replies to {state.accepted} recipients" if wrong else None)
        at = end


@dataclass(slots=True)
class Banners:
    """What the sessions of a run were greeted with: the host's name, and the keywords, in TLS and out of it."""

    hosts: set[bytes] = field(default_factory=set)
    offers: dict[bool, set[frozenset[str]]] = field(default_factory=dict)
    sessions: int = 0

    def add(self, steps: Sequence[Step]) -> None:
        """Note how one session was greeted. What a login changes is not compared."""
        greeted = False
        for exchange, state in steps:
            if exchange.asked is Asked.GREETING and exchange.code == 220:
                if len(self.hosts) < KINDS_KEPT:
                    self.hosts.add(exchange.texts[0].partition(b" ")[0])
                greeted = True
            elif exchange.verb in {"EHLO", "LHLO"} and exchange.code == 250 and not state.logged_in:
                offers = self.offers.setdefault(exchange.tls, set())
                if len(offers) < KINDS_KEPT:
                    offers.add(keywords(exchange))
        self.sessions += greeted

    def merge(self, other: "Banners") -> None:
        """Add what other sessions of the run were greeted with."""
        self.hosts |= other.hosts
        for tls, offers in other.offers.items():
            self.offers.setdefault(tls, set()).update(offers)
        self.sessions += other.sessions

    def look(self) -> Iterator[Look]:
        """Say whether all sessions were greeted alike; nothing after fewer than two."""
        if self.sessions < 2:
            return
        if len(self.hosts) > 1:
            yield Look(_SAME_BANNER, f"it calls itself {', '.join(sorted(map(printable, self.hosts)))}")
            return
        for offers in self.offers.values():
            if len(offers) > 1:
                changing = sorted(frozenset.union(*offers) - frozenset.intersection(*offers))
                yield Look(_SAME_BANNER, f"EHLO lists {', '.join(changing)} at times")
                return
        yield Look(_SAME_BANNER)
