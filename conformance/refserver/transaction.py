"""One mail transaction: its envelope, and what becomes of it when the mail data are in (RFC 5321 §3.3, §6.1)."""

from dataclasses import dataclass, field
from typing import Final

from conformance.refserver import replies
from conformance.refserver.address import Path
from conformance.refserver.bounce import hand_over
from conformance.refserver.directory import Refusal
from conformance.refserver.dsn import Delivered, success_report
from conformance.refserver.mail_data import (
    count_received,
    has_bare_cr_or_lf,
    header_section,
    with_message_id,
    without_bcc,
    without_return_path,
)
from conformance.refserver.maildrop import NotStored
from conformance.refserver.parameters import BINARYMIME, MailParameters, RcptParameters
from conformance.refserver.relay import Outgoing
from conformance.refserver.replies import Reply
from conformance.refserver.session import Service
from conformance.refserver.trace import Arrival, protocol_keyword, received_field, trace_fields

_NOT_STORED: Final = {
    NotStored.MAILDROP_FULL: replies.MAILDROP_FULL,
    NotStored.STORE_FULL: replies.STORE_FULL,
    NotStored.STORE_FAILED: replies.STORE_FAILED,
}
_REFUSED: Final = {
    Refusal.NO_SUCH_MAILBOX: replies.NO_SUCH_MAILBOX,
    Refusal.NOT_OUR_DOMAIN: replies.NO_RELAYING,
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """An accepted forward-path and the maildrop it leads to."""

    path: Path
    maildrop: str                      # "" if it is sent on
    parameters: RcptParameters
    sent_on: bool = False              # to the next hop for its domain


@dataclass(frozen=True, slots=True)
class Client:
    """Who is sending, as far as the server knows. `address` is an address literal; None over a unix socket."""

    helo: str
    address: str | None
    extended: bool = True
    cipher: str | None = None          # set inside TLS
    authenticated: bool = False


@dataclass(slots=True)
class Transaction:
    """The reverse-path buffer and the forward-path buffer (RFC 5321 §4.1.1.2, §4.1.1.3)."""

    reverse_path: Path
    parameters: MailParameters
    recipients: list[Recipient] = field(default_factory=list)

    def recipient_at(
        self, path: Path, parameters: RcptParameters, service: Service, *, sent_on: bool = False
    ) -> Recipient | Reply:
        """Return the recipient whom mail could be taken for, or the refusal. `sent_on`: its domain is routed."""
        if len(self.recipients) >= service.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS
        if sent_on:
            return Recipient(path, "", parameters, sent_on=True)
        maildrop = service.directory.maildrop_of(path)
        if isinstance(maildrop, Refusal):
            return _REFUSED[maildrop]
        full = service.maildrops.room(maildrop, self.parameters.size or 0)
        if full is not None and service.behaviour.quota_at_rcpt:
            return _NOT_STORED[full]
        return Recipient(path, maildrop, parameters)

    def deliver(self, content: bytes, client: Client, service: Service, base: str, *, each: bool) -> list[Reply]:
        """Store the message and return the replies it is owed: one, or with `each` one per recipient.

        `base` is the protocol's name in trace fields, SMTP or LMTP. After one reply of 250 every recipient has it,
        after any other nobody has; with `each` (RFC 2033 §4.2) that holds recipient by recipient.
        """
        header = header_section(content)
        binary = self.parameters.body == BINARYMIME
        refusal = _objection(content, header, service, binary=binary)
        if refusal is not None:
            return [refusal] * (len(self.recipients) if each else 1)
        arrival = self._arrival(client, service, base)
        if client.authenticated:
            content = without_bcc(header, content)
            header = header_section(content)
        if client.authenticated and service.behaviour.login_required:      # RFC 6409 §8.3
            content = with_message_id(header, content, f"{service.token()}@{service.behaviour.host_name}")
            header = header_section(content)
        message = trace_fields(self.reverse_path.mailbox, arrival) + without_return_path(header, content)
        for fault in service.behaviour.faults:
            if fault.stored is not None:
                message = fault.stored(message)
        final = self._store_each(message, service) if each else self._store(message, service)
        stored = [one for one, reply in zip(self.recipients, final, strict=False) if reply.code == 250]
        if stored:
            self._send_on(arrival, content, service)
            self._report(stored if each else self.recipients, header, service)
        return final

    def _send_on(self, arrival: Arrival, content: bytes, service: Service) -> None:
        """Queue the message for the recipients whose domains are routed elsewhere."""
        away = [one for one in self.recipients if one.sent_on]
        if away and service.relay is not None:
            asked = {one.path.mailbox: one.parameters for one in away}
            message = received_field(arrival) + content
            outgoing = Outgoing(self.reverse_path.mailbox, tuple(asked), message, self.parameters, asked)
            service.relay.send(outgoing)

    def _store(self, message: bytes, service: Service) -> list[Reply]:
        # A maildrop that was not full at RCPT takes this message even if it is full after it: refusing now would
        # refuse it for the other recipients too. dict: two forward-paths to one maildrop put one copy there.
        if _in_trouble(service):
            return [replies.IN_TROUBLE]
        names = dict.fromkeys([one.maildrop for one in self.recipients if not one.sent_on])
        for _ in range(_copies(service)):
            failed = service.maildrops.deliver(names, message)
        return [_NOT_STORED[failed] if failed is not None else replies.MESSAGE_TAKEN]

    def _store_each(self, message: bytes, service: Service) -> list[Reply]:
        outcome: dict[str, Reply] = {}
        for name in [one.maildrop for one in self.recipients]:
            if name not in outcome and _in_trouble(service):
                outcome[name] = replies.IN_TROUBLE
            elif name not in outcome:
                names = [name] * _copies(service)
                failed = service.maildrops.room(name, len(message)) or service.maildrops.deliver(names, message)
                outcome[name] = _NOT_STORED[failed] if failed is not None else replies.MESSAGE_TAKEN
        return [_said_of(one, outcome[one.maildrop], service) for one in self.recipients]

    def _report(self, stored: list[Recipient], header: bytes, service: Service) -> None:
        """Tell the sender of a delivery it asked to be told of, if that can be: the null reverse-path is nobody's.

        Of what is sent on the next hop tells, or the relay.
        """
        asked = [
            one for one in stored if one.parameters.notify and b"SUCCESS" in one.parameters.notify and not one.sent_on
        ]
        if not asked or self.reverse_path.is_null:
            return
        report = success_report(
            [Delivered(one.path.mailbox, one.parameters.orcpt) for one in asked],
            reverse_path=self.reverse_path.mailbox,
            envid=self.parameters.envid,
            header=header,
            host_name=service.behaviour.host_name,
            identity=service.token(),
            date=service.date.at(service.wall_clock()),
        )
        sent = [Outgoing(b"", (self.reverse_path.mailbox,), report)]
        for fault in service.behaviour.faults:
            if fault.reports is not None:
                sent = [changed for each in sent for changed in fault.reports(each)]
        for each in sent:
            hand_over(service, each)

    def _arrival(self, client: Client, service: Service, base: str) -> Arrival:
        only = self.recipients[0].path if len(self.recipients) == 1 else None
        protocol = protocol_keyword(
            base,
            extended=client.extended,
            utf8=self.parameters.smtputf8,
            tls=client.cipher is not None,
            authenticated=client.authenticated,
        )
        return Arrival(
            helo=client.helo,
            client=client.address,
            host_name=service.behaviour.host_name,
            protocol=protocol,
            # RFC 8314 §4.3 wants the IANA name; OpenSSL's own names of older suites are none
            cipher=client.cipher if client.cipher is not None and client.cipher.startswith("TLS_") else None,
            message_id=service.token(),
            recipient=only.mailbox if only is not None and only.domain else None,
            date=service.date.at(service.wall_clock()),
        )


def _said_of(recipient: Recipient, outcome: Reply, service: Service) -> Reply:
    """Return LMTP's reply for one recipient."""
    mailbox = recipient.path.mailbox
    if not (service.behaviour.names_recipients and mailbox.isascii()):
        return outcome
    return replies.reply(outcome.code, outcome.status, f"<{mailbox.decode()}> {outcome.texts[0]}")


def _copies(service: Service) -> int:
    """Return how many copies go into each maildrop: one, but for a fault."""
    return max([fault.copies for fault in service.behaviour.faults], default=1)


def _in_trouble(service: Service) -> bool:
    share = service.behaviour.tempfail
    return share > 0 and service.trouble.strikes(share)


def _objection(content: bytes, header: bytes, service: Service, *, binary: bool) -> Reply | None:
    if len(content) > service.limits.message_octets:
        return replies.MESSAGE_TOO_BIG
    if has_bare_cr_or_lf(header if binary else content):      # a binary body has no lines (RFC 3030 §3)
        return replies.BARE_CR_OR_LF_IN_DATA
    if count_received(header) > service.limits.received_fields:
        return replies.LOOP
    return None
