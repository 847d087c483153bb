"""Sending on: mail for the domains that are routed to a next hop, and what becomes of it when that refuses it.

The client's side follows the scenario of RFC 5321 §3.3 and nothing more. Where the next hop refuses a recipient for
good, the sender is told, from the null reverse-path, and never in answer to the null reverse-path (§6.1).
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import trio

from conformance.refserver.fault import Fault
from conformance.refserver.mail_data import header_section
from conformance.refserver.next_hop import Broken, NextHop
from conformance.refserver.parameters import (
    BINARYMIME,
    NO_MAIL_PARAMETERS,
    NO_RCPT_PARAMETERS,
    MailParameters,
    RcptParameters,
    to_xtext,
)

ATTEMPTS: Final = 3                  # then it is given up: nobody waits for days on a test server
PAUSE_S: Final = 1.0
_ANSWER_S: Final = 30.0

Dial = Callable[[str], Awaitable[trio.abc.Stream]]         # raises OSError
Tell = Callable[["Outgoing", "Outcome"], None]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. Lines end with CRLF; nothing is stuffed yet."""

    reverse_path: bytes
    recipients: tuple[bytes, ...]
    message: bytes
    parameters: MailParameters = NO_MAIL_PARAMETERS
    asked: Mapping[bytes, RcptParameters] = field(default_factory=dict)     # what RCPT said, by recipient

    def asked_for(self, recipient: bytes) -> RcptParameters:
        """Return what RCPT said beside a recipient."""
        return self.asked.get(recipient, NO_RCPT_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Answered:
    """A recipient, and what the next hop said of him; where none was asked, the trouble."""

    recipient: bytes
    reply: bytes
    remote: bytes = b""      # who said so; b"": nobody but ourselves


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message at one next hop."""

    failed: tuple[Answered, ...] = ()
    relayed: tuple[Answered, ...] = ()     # taken by one that reports nothing itself, for want of DSN


class Relay:
    """The queue of what goes out, and who takes it there."""

    def __init__(self, routes: Mapping[str, str], host_name: str, dial: Dial, faults: tuple[Fault, ...] = ()) -> None:
        """`routes` names the next hop of each domain, `dial` connects to one."""
        self._routes = {domain.lower(): hop for domain, hop in routes.items()}
        self._host_name = host_name.encode("ascii")
        self._dial = dial
        self._faults = faults
        self._sender, self._receiver = trio.open_memory_channel[Outgoing](math.inf)

    def routes(self, domain: str) -> bool:
        """Say whether mail for a domain is sent on."""
        return domain.lower() in self._routes

    def send(self, outgoing: Outgoing) -> None:
        """Queue a message for its recipients, all of routed domains."""
        self._sender.send_nowait(outgoing)

    async def run(self, tell: Tell) -> None:
        """Take what is queued to where it belongs, one after the other. Ends only by cancellation."""
        async for outgoing in self._receiver:
            by_hop: dict[str | None, list[bytes]] = {}
            for one in outgoing.recipients:
                hop = self._routes.get(one.rpartition(b"@")[2].decode("ascii").lower())
                by_hop.setdefault(hop, []).append(one)
            for hop, recipients in by_hop.items():
                tell(outgoing, await self._attempt(hop, replace(outgoing, recipients=tuple(recipients))))

    async def _attempt(self, hop: str | None, outgoing: Outgoing) -> Outcome:
        if hop is None:      # only a faulty server takes such mail
            return _all_failed(outgoing, b"550 5.4.4 no route")
        trouble = b"450 4.4.1 no answer"
        for attempt in range(ATTEMPTS):
            await trio.sleep(PAUSE_S if attempt else 0)
            try:
                with trio.fail_after(_ANSWER_S):
                    async with await self._dial(hop) as stream:
                        return await self._transfer(NextHop(stream), outgoing)
            except (OSError, trio.BrokenResourceError, trio.TooSlowError, Broken) as error:
                trouble = b"450 4.4.1 " + str(error).encode("ascii", "replace")[:200]
        return _all_failed(outgoing, trouble)

    async def _transfer(self, hop: NextHop, outgoing: Outgoing) -> Outcome:
        await hop.reply()
        await hop.ehlo(self._host_name)
        for fault in self._faults:
            hop.offers |= fault.pretends
        if (lacking := self._lacking(hop.offers, outgoing)) is not None:
            return _all_failed(outgoing, lacking)
        answer = await hop.ask(self._as_sent(mail_line(outgoing, hop.offers)))
        if not answer.startswith(b"2"):
            return _all_failed(outgoing, answer, hop.name)
        taken: list[Answered] = []
        failed: list[Answered] = []
        for one in outgoing.recipients:
            answer = await hop.ask(self._as_sent(rcpt_line(one, outgoing, hop.offers)))
            (taken if answer.startswith(b"2") else failed).append(Answered(one, answer, hop.name))
        if taken:
            answer = await hop.ask(b"DATA")
            if answer.startswith(b"3"):
                answer = await hop.say(self._mail_data(outgoing.message))
            if not answer.startswith(b"2"):
                return _all_failed(outgoing, answer, hop.name)
        await hop.ask(b"QUIT")
        return Outcome(tuple(failed), () if b"DSN" in hop.offers else tuple(taken))

    def _lacking(self, offers: frozenset[bytes], outgoing: Outgoing) -> bytes | None:
        """Return why a message cannot go to a next hop that offers no more than this.

        RFC 6152 §3, RFC 6531 §3.2. Binary bodies go to none: they would need BDAT (RFC 3030 §3).
        """
        needs_utf8 = _needs_utf8(outgoing) or any(b"SMTPUTF8" in fault.insists for fault in self._faults)
        if needs_utf8 and b"SMTPUTF8" not in offers:
            return b"550 5.6.7 the next hop takes no addresses and header fields in UTF-8"
        raw = any(b"BINARYMIME" in fault.pretends for fault in self._faults)
        if outgoing.parameters.body == BINARYMIME and not raw:
            return b"554 5.6.3 binary bodies are not sent on, and nothing is converted here"
        if not outgoing.message.isascii() and b"8BITMIME" not in offers:
            return b"554 5.6.3 the next hop takes no eight bits, and nothing is converted here"
        return None

    def _as_sent(self, line: bytes) -> bytes:
        for fault in self._faults:
            if fault.said_on is not None:
                line = fault.said_on(line)
        return line

    def _mail_data(self, message: bytes) -> bytes:
        """Return a message as it goes over the wire (RFC 5321 §4.5.2)."""
        octets = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        for fault in self._faults:
            if fault.relayed is not None:
                octets = fault.relayed(octets)
        return octets


def _all_failed(outgoing: Outgoing, reply: bytes, remote: bytes = b"") -> Outcome:
    return Outcome(tuple(Answered(one, reply, remote) for one in outgoing.recipients))


def _needs_utf8(outgoing: Outgoing) -> bool:
    """Say whether a message cannot go without SMTPUTF8: the parameter alone, or an ORCPT, does not make it so."""
    texts = (outgoing.reverse_path, *outgoing.recipients, header_section(outgoing.message))
    return not all(text.isascii() for text in texts)


def mail_line(outgoing: Outgoing, offers: frozenset[bytes]) -> bytes:
    """Return MAIL with the parameters that came with the message and that the next hop knows (RFC 3461 §5.2)."""
    parameters = outgoing.parameters
    line = b"MAIL FROM:<" + outgoing.reverse_path + b">"
    if not outgoing.message.isascii():
        line += b" BODY=8BITMIME"
    if _needs_utf8(outgoing):
        line += b" SMTPUTF8"
    if b"DSN" in offers:
        line += b" RET=" + parameters.ret.encode("ascii") if parameters.ret else b""
        line += b" ENVID=" + to_xtext(parameters.envid) if parameters.envid is not None else b""
    return line


def rcpt_line(recipient: bytes, outgoing: Outgoing, offers: frozenset[bytes]) -> bytes:
    """Return RCPT with the parameters that came with the recipient and that the next hop knows."""
    asked = outgoing.asked_for(recipient)
    line = b"RCPT TO:<" + recipient + b">"
    if b"DSN" in offers:
        line += b" NOTIFY=" + b",".join(sorted(asked.notify)) if asked.notify is not None else b""
        line += b" ORCPT=" + _orcpt(asked.orcpt) if asked.orcpt is not None else b""
    return line


def _orcpt(value: bytes) -> bytes:
    kind, semicolon, address = value.partition(b";")
    return value if kind.lower() == b"utf-8" else kind + semicolon + to_xtext(address)
