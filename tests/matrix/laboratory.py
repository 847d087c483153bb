"""The reference server in memory, as a subject that cases can be run against in virtual time."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, Final

import trio
from msgspec import structs
from trio.testing import lockstep_stream_pair, memory_stream_pair

from conformance.case import CASES, Case
from conformance.cases import register_all
from conformance.catalogue.load import catalogue
from conformance.conform import sound_any
from conformance.declared import Accounts, Addresses, Allow, Claims, Declared, Timers, places
from conformance.finding import Finding
from conformance.mailbox import Mailbox, Pop3Reader
from conformance.maildrops import Maildrop, Maildrops
from conformance.over_lmtp import is_put_to, with_twins
from conformance.passive import Overhearing
from conformance.plan import plan_cases
from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.bounce import tell
from conformance.refserver.directory import Account, Directory, accounts_by_pattern
from conformance.refserver.fault import instead_of_tls
from conformance.refserver.listener.conversation import Conversation, StartTls, begin_tls
from conformance.refserver.listener.tls import start_tls_with
from conformance.refserver.maildrop import MemoryStore
from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.relay import Relay
from conformance.refserver.session import Service, Session
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import LMTP, SMTP
from conformance.runner import CASE_LIMIT_S, Manner, run_cases
from conformance.selection import Selection
from conformance.sink import Sink
from conformance.subject import Subject
from conformance.x25 import CASE_LIMIT_S as X25_LIMIT_S
from loadgen.endpoint import Endpoint, Protocol
from loadgen.transport.stream import Transport
from tests.matrix.wire import USUAL, ClientSide, LateReader, ServerSide, Wire
from tests.session.theatre import SERVER_NAME, Tls

register_all()

LIMITS: Final = Limits(message_octets=100_000)
SINK_DOMAIN: Final = "sink.test"
PLAIN_DOMAIN: Final = "plain.test"
ROUTED: Final = (SINK_DOMAIN, "[127.0.0.1]", "[IPv6:::1]")     # the sink stands on the same host
QUOTA_OCTETS: Final = 1 << 24
TOO_MUCH: Final = b"x" * (QUOTA_OCTETS + 1)      # made once: it takes as long as all else of a small test
OVER_QUOTA: Final = 4
ACCOUNTS: Final = accounts_by_pattern("user{n}@example.test", 40, "secret{n}")
UTF8_USER: Final = "δοκιμή@example.test"      # has a maildrop, and is declared only where it is asked about
PORTS: Final = {"smtp": 25, "lmtp": 24, "pop3": 110}
TOO_MANY: Final = {
    "smtp": b"421 4.7.0 mail.example.test: too many connections\r\n",
    "lmtp": b"421 4.7.0 mail.example.test: too many connections\r\n",
    "pop3": b"-ERR [SYS/TEMP] Too many connections\r\n",
}

DECLARED: Final = Declared(
    addresses=Addresses(
        accepted=("user1@example.test", "user2@example.test", "user3@example.test"),
        rejected=("nobody@example.test",),
        foreign=("someone@elsewhere.invalid",),
        over_quota=("user4@example.test",),
    ),
    accounts=Accounts(pop3=(("user1", "secret1"), ("user2", "secret2")), smtp=(("user1", "secret1"),)),
    allow=Allow(leave_mail=True, destroy_mail=True),
    claims=Claims(vrfy_disabled=True, address="192.0.2.25", message_octets_max=LIMITS.message_octets),
    timers=Timers(reply=30.0, quiet=0.3, delivery=5.0),
)


@dataclass(slots=True)
class House:
    """The server behind the wire."""

    service: Service
    start_tls: StartTls
    wire: Wire
    sessions: Counter[Protocol] = field(default_factory=Counter)

    async def serve(self, stream: trio.abc.Stream, endpoint: Endpoint) -> None:
        """Serve one connection to its end."""
        cipher = None
        if self.wire.sessions is not None and self.sessions[endpoint.protocol] >= self.wire.sessions:
            await stream.send_all(TOO_MANY[endpoint.protocol])
            await stream.aclose()
            return
        stream = stream if self.wire == USUAL else ServerSide(stream, self.wire)
        if endpoint.implicit_tls:
            try:
                secured = await begin_tls(stream, self.start_tls, instead_of_tls(self.service.behaviour.faults))
            except trio.BrokenResourceError:
                secured = None
            if secured is None:
                await trio.aclose_forcefully(stream)
                return
            stream, cipher = secured
        session: Session = (
            Pop3Session(self.service, cipher) if endpoint.protocol == "pop3"
            else SmtpSession(self.service, LMTP if endpoint.protocol == "lmtp" else SMTP, "[192.0.2.1]", cipher)
        )
        self.sessions[endpoint.protocol] += 1
        await Conversation(stream, session, self.start_tls).run()
        self.sessions[endpoint.protocol] -= 1


def _line(wire: Wire) -> tuple[trio.abc.Stream, trio.abc.Stream]:
    """Return both ends of a new connection, the client's first."""
    if wire.narrow:
        return lockstep_stream_pair()
    ours, theirs = memory_stream_pair()
    return ClientSide(ours, wire) if wire.resets else ours, theirs


@asynccontextmanager
async def reference_subject(
    tls: Tls, behaviour: Behaviour, *, protocol: Protocol = "smtp", declared: Declared = DECLARED,
    limits: Limits | None = None, implicit_tls: bool = False, with_sink: bool = True, accept_any: bool = False,
    wire: Wire = USUAL, with_reader: bool = True, x25: bool = False,
) -> AsyncIterator[Subject]:  # fmt: skip
    """Give a subject behind which a reference server of its own stands, sounded."""
    tokens = count()
    sink = Sink(SINK_DOMAIN) if with_sink else None
    if sink is not None:
        sink.plain = Sink(PLAIN_DOMAIN, ())
    store = MemoryStore("g", maildrop_octets_max=QUOTA_OCTETS, octets_max=1 << 30)
    store.deliver(["user4@example.test"], TOO_MUCH)
    service = Service(
        behaviour=behaviour,
        limits=limits or LIMITS,
        directory=Directory(["example.test"], [*ACCOUNTS, Account(UTF8_USER, "secret")], accept_any=accept_any),
        maildrops=store,
        wall_clock=lambda: 1_767_225_600.0 + trio.current_time(),
        clock=trio.current_time,
        token=lambda: f"t{next(tokens)}",
        tls_available=True,
    )
    async with trio.open_nursery() as nursery:

        async def dial_sink(hop: str) -> trio.abc.Stream:
            assert sink is not None
            one = sink.plain if hop == PLAIN_DOMAIN else sink
            assert one is not None
            await trio.lowlevel.checkpoint()
            ours, theirs = memory_stream_pair()
            nursery.start_soon(one.serve, theirs)
            return ours

        if sink is not None:
            routes = {**dict.fromkeys(ROUTED, "sink"), PLAIN_DOMAIN: PLAIN_DOMAIN}
            relay = Relay(routes, behaviour.host_name, dial_sink, behaviour.faults)
            service = replace(service, relay=relay)
            nursery.start_soon(relay.run, partial(tell, service))
        house = House(service, start_tls_with(tls.server), wire)

        async def dial(endpoint: Endpoint, deadline: float) -> Transport:
            await trio.lowlevel.checkpoint()
            stream, theirs = _line(wire)
            nursery.start_soon(house.serve, theirs, endpoint)
            return Transport.over(stream, peer="the server", host=SERVER_NAME)

        pop3 = Endpoint("pop3", SERVER_NAME, 110, None, implicit_tls=False)
        mailboxes = {}
        for place in places(declared):
            reader = Pop3Reader(pop3, place.login, place.password, dial, tls.client, 30.0)
            late = LateReader(reader, wire.delivery_s) if wire.delivery_s else reader
            mailboxes[place.address or ""] = Mailbox(late)
        maildrops = Maildrops([Maildrop(place) for place in places(declared)])

        async def restart(command: str) -> None:
            """Count how often the operator has restarted the server: what it holds stays, as on a disk."""
            service.memory["restarts"] = service.memory.get("restarts", 0) + 1

        def seen_at(protocol: Protocol, *, implicit_tls: bool) -> Subject:
            return Subject(
                endpoint=Endpoint(protocol, SERVER_NAME, PORTS[protocol], None, implicit_tls=implicit_tls),
                declared=declared,
                run_token="c0ffee",
                mailboxes=mailboxes,
                maildrops=maildrops,
                sink=sink,
                dial=dial,
                x25=x25,
                run_command=restart,
                tls=tls.client,
            )

        subject = seen_at(protocol, implicit_tls=implicit_tls)
        other = seen_at("smtp" if protocol == "pop3" else "pop3", implicit_tls=False)
        subject.deliverer, subject.reader = (other, None) if subject.is_pop3 else (None, other)
        await sound_any(subject)
        if with_reader or subject.is_pop3:       # most cases look at one server alone, and there are thousands
            await sound_any(other)
        yield subject
        nursery.cancel_scope.cancel()


async def judge(
    tls: Tls, cases: Collection[Case], behaviour: Behaviour | None = None, *, protocol: Protocol = "smtp",
    limits: Limits | None = None, declared: Declared = DECLARED, slow: bool = True, with_sink: bool = True,
    accept_any: bool = False, implicit_tls: bool = False, wire: Wire = USUAL, x25: bool = False,
) -> dict[str, Finding]:  # fmt: skip
    """Run some cases against the reference server; return the findings by case id.

    Those that are not for the protocol are left out; over LMTP those of SMTP that hold there too are put as well.
    """
    async with reference_subject(
        tls, behaviour or Behaviour(), protocol=protocol, limits=limits, declared=declared, with_sink=with_sink,
        accept_any=accept_any, implicit_tls=implicit_tls, wire=wire, x25=x25,
        with_reader=any(case.requirement.startswith("x.") for case in cases),
    ) as subject:
        put = [case for case in with_twins(cases) if is_put_to(case, protocol)]
        planned = plan_cases(put, catalogue(), subject, slow=slow)
        overhearing = Overhearing(subject.endpoint.protocol)
        subject.overhear = overhearing.hear
        findings = await run_cases(planned, subject, Manner(parallel=8, limit_s=X25_LIMIT_S if x25 else CASE_LIMIT_S))
        findings += overhearing.findings(catalogue(), Selection(), strict=False)
    return {finding.case_id: finding for finding in findings}


def cases_of(*prefixes: str) -> list[Case]:
    """Return the cases whose requirement begins with one of these."""
    return [case for case in CASES.values() if case.requirement.startswith(prefixes)]


def with_maildrops(count: int) -> Declared:
    """Return what is declared, and so many maildrops, so that no case finds one that another case has left."""
    users = [number for number in range(1, len(ACCOUNTS) + 1) if number != OVER_QUOTA][:count]
    accepted = tuple(f"user{number}@example.test" for number in users)
    return structs.replace(
        DECLARED,
        addresses=structs.replace(DECLARED.addresses, accepted=accepted),
        accounts=structs.replace(DECLARED.accounts, pop3=tuple((f"user{one}", f"secret{one}") for one in users)),
    )


def with_faults(*names: str, **choices: Any) -> Behaviour:
    """Return the behaviour of a server with some faults, and with lawful choices of its own."""
    from conformance.refserver.faults import FAULTS  # noqa: PLC0415

    return replace(Behaviour(), faults=tuple(FAULTS[name] for name in names), **choices)
