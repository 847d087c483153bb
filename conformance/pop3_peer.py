"""A case's side of a POP3 session.

Two kinds of methods, as SmtpPeer has them. Those that a preamble is made of (`greet`, `log_in`, `open`, `control` …)
demand the answer they need and raise Undetermined without it. Those that ask the question (`ask`, `answer`,
`answer_or_silence`, of Pop3Connection) return whatever the server did.
"""

import math
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, TypeVar

import trio

from conformance.furnish import count_until, deliver, look_until
from conformance.judgement import AskLater, NotApplicable, Undetermined
from conformance.maildrops import Lying, Maildrop
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_connection import Pop3Connection
from conformance.pop3_login import WAYS
from conformance.room import resting
from conformance.samples import OTHER, PLAIN, TEN_LINES, THIRD, Sample, bulk
from conformance.subject import Capabilities, Subject
from conformance.transcript import Speaker, Transcript
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.printable import printable
from loadgen.wire.response import Response, parse_capabilities, parse_scan_listing, parse_stat, parse_uidl

CONNECTIONS_PER_CASE: Final = 1100       # pop3.apop.banner-unique wants a thousand greetings
AGAIN_S: Final = (0.05, 0.2, 1.0)        # pauses before a login that was refused is tried again
ANY: Final = (PLAIN, OTHER, THIRD, TEN_LINES)      # put there where a case needs some messages, whatever they are
FIELDS_OCTETS: Final = 4096              # of a message that are no body, at most
T = TypeVar("T")
_TIMESTAMP: Final = re.compile(rb"<[^<>\s]+>")
_NUMBER: Final = re.compile(rb"[0-9]{1,9}")
_MAY_DELETE: Final = re.compile(rb"^(?:DELE|TOP)\b", re.IGNORECASE | re.MULTILINE)     # some delete what TOP gave


@dataclass(slots=True)
class _Case:
    """What the sessions of one case share."""

    transcripts: list[Transcript] = field(default_factory=list)
    maildrops: tuple[Maildrop, ...] = ()         # that this case has for itself
    slow: bool = False
    limit: trio.CancelScope = field(default_factory=trio.CancelScope)      # ends it, if it takes too long


class Pop3Peer(Pop3Connection):
    """One session of a case; `another` gives more of them. The runner closes them all."""

    def __init__(
        self, subject: Subject, token: str, stack: AsyncExitStack, case: _Case | None = None, *, slow: bool = False
    ) -> None:
        self._case = _Case(slow=slow) if case is None else case
        super().__init__(subject, stack, f"{len(self.transcripts) + 1}" if self.transcripts else "")
        self.transcripts.append(self.transcript)
        self.token = token                         # in every message of this case, and in no other's
        self.timestamp = b""                       # of the greeting: it offers APOP

    @classmethod
    def beside(
        cls, subject: Subject, token: str, stack: AsyncExitStack, transcripts: list[Transcript], maildrop: Maildrop
    ) -> "Pop3Peer":
        """Return a session in which a case of SMTP or LMTP reads a maildrop; `transcripts` are those of the case."""
        peer = cls(subject, token, stack, _Case(transcripts=transcripts, maildrops=(maildrop,)))
        peer.transcript.name = f"P{len(transcripts)}"
        peer.transcript.aside = True
        return peer

    @property
    def transcripts(self) -> list[Transcript]:
        """Return those of all the case's sessions, in order."""
        return self._case.transcripts

    def end_within(self, limit: trio.CancelScope) -> None:
        """Let a scope end the case; while it waits for a maildrop, time does not count."""
        self._case.limit = limit

    def another(self) -> "Pop3Peer":
        """Return one more session of the same case, not connected yet."""
        assert len(self.transcripts) < CONNECTIONS_PER_CASE, "a case that opens so many connections is no case"
        return Pop3Peer(self.subject, self.token, self._stack, self._case)

    # What a preamble is made of.

    async def control(self, command: bytes, *wanted: str, multi_line: bool | None = None) -> Response:
        """Send a command whose answer the case depends on: +OK, unless said otherwise."""
        return self.must(await self.ask(command, multi_line=multi_line), *wanted, to=command)

    @staticmethod
    def must(answer: Pop3Answer, *wanted: str, to: bytes = b"") -> Response:
        """Return an answer's response if it is what the case depends on; Undetermined if not."""
        if not answer.matches(*(wanted or ("+OK",))):
            raise Undetermined(f"{answer} to {printable(to, 80)}" if to else str(answer))
        assert answer.response is not None
        return answer.response

    async def greet(self) -> Response:
        """Connect and take the greeting, and note the timestamp if there is one."""
        greeting = self.must(await self.answer())
        found = _TIMESTAMP.search(greeting.text)
        self.timestamp = found[0] if found else b""
        return greeting

    async def capabilities(self) -> Capabilities:
        """Return what CAPA lists now; nothing if it is refused (RFC 2449 §5)."""
        answer = await self.ask(b"CAPA")
        if answer.response is None:
            raise Undetermined(f"{answer} to CAPA")
        return parse_capabilities(answer.response)

    def require(self, tag: str) -> None:
        """Go on only if the server lists a capability, before or in TLS."""
        if tag.upper() not in self.subject.found.keywords:
            raise NotApplicable(f"{tag} is not offered")

    async def start_tls(self) -> None:
        """Begin TLS by STLS (RFC 2595 §4); there is no second greeting."""
        await self.control(b"STLS")
        await self.must_shake_hands()

    async def must_shake_hands(self) -> None:
        """Begin TLS where it must begin."""
        trouble = await self.handshake()
        if trouble is not None:
            raise Undetermined(f"no TLS: {trouble}")

    async def prelude(self) -> None:
        """Come to where one may log in, the way that was declared: greeting, and TLS."""
        if not self.is_open:
            await self.greet()
        if self.subject.declared.session.tls == "starttls" and not self.in_tls:
            await self.start_tls()

    async def log_in(self, way: str | None = None, *, at: int = 0) -> Response:
        """Log in to one of this case's maildrops, from the start of the session if it was not begun yet.

        `way` is one of conformance.pop3_login.WAYS; None: the one that the sounding found. Returns what let it in.
        """
        return self.must(await self.insist(way, at=at), to=b"the login")

    async def insist(self, way: str | None = None, *, at: int = 0) -> Pop3Answer:
        """Log in as `log_in` does, more than once if need be, and return the last answer, whatever it is."""
        answer = await self.try_log_in(way, at=at)
        for pause_s in AGAIN_S:              # the lock of a session that was here before may linger
            if not answer.err:
                break
            await self.pause(pause_s)
            answer = await self.try_log_in(way, at=at)
        return answer

    async def try_log_in(self, way: str | None = None, *, at: int = 0) -> Pop3Answer:
        """Log in as `log_in` does, once, and return the last answer, whatever it is."""
        if not self.subject.maildrops.every:
            raise NotApplicable("needs a POP3 account (accounts.pop3)")
        way = way or self.subject.found.pop3.way_in
        if way is None:
            raise Undetermined("nobody could log in as the first of accounts.pop3")
        login, password = await self.login(at)
        await self.prelude()
        return await WAYS[way](self.ask, login, password, self.timestamp)

    async def login(self, at: int = 0) -> tuple[str, str]:
        """Return the name and password of one of this case's maildrops."""
        place = (await self.maildrops(at + 1))[at].place
        return place.login, place.password

    async def maildrops(self, count: int = 1) -> tuple[Maildrop, ...]:
        """Return maildrops that no other case has until this one is over: so many, asked for once."""
        case = self._case
        if len(case.maildrops) < count:
            assert not case.maildrops, "a case that wants several maildrops asks for all of them at once"
            if len(self.subject.maildrops.every) < count:
                raise NotApplicable(f"needs {count} POP3 accounts (accounts.pop3)")
            left_s = case.limit.deadline - trio.current_time()
            case.limit.deadline = math.inf           # what other cases take is not this one's time
            async with resting():
                case.maildrops = await self._stack.enter_async_context(
                    self.subject.maildrops.taken(count, slow=case.slow)
                )
            case.limit.deadline = trio.current_time() + left_s
            self._stack.callback(self._forget_if_changed)
        return case.maildrops

    async def open(self, *samples: Sample, least: int = 0) -> None:
        """Log in to a maildrop in which some messages lie: those samples, and so many at least of whatever kind.

        What is not there is delivered first. NotApplicable if it cannot be.
        """
        await self.prepare(*samples, least=least)
        await self.log_in()

    @property
    def can_fill(self) -> bool:
        """Say whether messages may be put into a maildrop."""
        return self.subject.deliverer is not None and self.subject.declared.allow.leave_mail

    async def open_one(self, sample: Sample) -> int:
        """Log in to a maildrop in which a sample lies, or any message if mail can only be read; return its number."""
        if not self.can_fill:
            await self.open(least=1)
            return 1
        await self.open(sample)
        return self.number_of(sample)

    async def prepare(self, *samples: Sample, least: int = 0) -> None:
        """See that some messages lie in this case's maildrop, without logging in."""
        maildrop, = (await self.maildrops())[:1]
        lying = await self._lying(maildrop)
        missing = [sample for sample in samples if self._mark(sample) not in lying.numbers]
        if lying.count + len(missing) < least:
            spare = [one for one in ANY if self._mark(one) not in lying.numbers and one not in missing]
            missing += spare[: least - lying.count - len(missing)]
            if lying.count + len(missing) < least:
                raise NotApplicable(f"needs {least} messages in the maildrop")
        if not missing:
            return
        for sample in missing:
            await deliver(self.subject, maildrop, self._mark(sample), sample)
        maildrop.lying = await look_until(self._apart, maildrop, lying, [self._mark(one) for one in missing])

    async def empty(self) -> None:
        """See that nothing lies in this case's maildrop, without logging in."""
        maildrop, = (await self.maildrops())[:1]
        if not (await self._lying(maildrop)).count:
            return
        self.may_destroy(everything=True)
        session = self._apart()
        await session.log_in()
        for number in range(1, await session.count() + 1):
            await session.control(b"DELE %d" % number)
        await session.control(b"QUIT")
        maildrop.lying = Lying(0, {})

    async def must_hold_nothing(self) -> None:
        """Go on only if no message can be had: late mail may come into a maildrop that was emptied."""
        if (await self.ask(b"RETR 1")).ok:
            raise Undetermined("mail came into the maildrop once it had been emptied")

    async def lay(self) -> int:
        """Return how many messages lay in this case's maildrop when they were last looked at."""
        return (await self._lying((await self.maildrops())[0])).count

    def number_of(self, sample: Sample) -> int:
        """Return the number under which a sample lies that `open` was asked for."""
        lying = self._case.maildrops[0].lying
        if lying is None or self._mark(sample) not in lying.numbers:
            raise Undetermined(f"the message {sample.name} was not found in the maildrop")
        return lying.numbers[self._mark(sample)]

    def message_of(self, sample: Sample) -> tuple[bytes, bytes]:
        """Return a sample's token and its body, as it was handed in: the token stands in the message's header."""
        return self._mark(sample).encode(), sample.body

    def may_destroy(self, *, everything: bool = False) -> None:
        """Go on only if mail may be deleted for good, now that all who need it have been asked."""
        if not self.subject.declared.allow.destroy_mail:
            raise NotApplicable("needs leave to delete mail (allow.destroy_mail)")
        if self.subject.spared == "any" or (self.subject.spared == "all" and everything):
            raise AskLater

    async def deliver(self, sample: Sample, copies: int = 1) -> None:
        """Hand in one more message for this case's maildrop, of this case alone. It need not be there yet."""
        maildrop, = (await self.maildrops())[:1]
        maildrop.lying = None
        await deliver(self.subject, maildrop, f"{self.token}-{sample.name}", sample, copies)

    async def deliver_copies(self, sample: Sample, copies: int) -> None:
        """Hand in a message so often, and wait until they have all arrived."""
        least = await self.lay() + copies
        await self.deliver(sample, copies)
        await count_until(self._apart, least)

    async def arrived(self, sample: Sample) -> int:
        """Return the number under which a message lies that was handed in by `deliver`; Undetermined if it does not."""
        maildrop, = (await self.maildrops())[:1]
        token = f"{self.token}-{sample.name}"
        found = await look_until(self._apart, maildrop, Lying(0, {}), [token])
        if token not in found.numbers:
            raise Undetermined("a message was taken and did not arrive in the time allowed (timers.delivery)")
        return found.numbers[token]

    async def with_one_more(self, sample: Sample) -> int:
        """Hand in one more message, log in once it is there, and return its number."""
        await self.deliver(sample)
        number = await self.arrived(sample)
        await self.log_in()
        return number

    def largest(self, octets: int) -> Sample:
        """Return a message whose body has so many octets, or as many as are taken where mail is handed in."""
        deliverer = self.subject.deliverer
        offered = deliverer.found.extensions if deliverer is not None else None
        limits = (deliverer.low_limit if deliverer is not None else None, offered.size if offered is not None else None)
        return bulk(min([octets, *(limit - FIELDS_OCTETS for limit in limits if limit)]))

    def forget_maildrop(self) -> None:
        """Let nobody believe what was known to lie in this case's maildrops: mail may have gone without DELE."""
        for maildrop in self._case.maildrops:
            maildrop.lying = None

    # What the session holds.

    async def stat(self) -> tuple[int, int]:
        """Return how many messages there are and their octets; Undetermined if STAT does not say."""
        return _read(parse_stat, await self.control(b"STAT"))

    async def count(self) -> int:
        """Return how many messages there are, by whichever of STAT and LIST can be understood.

        Preambles count so: a server that says it wrongly is for the cases about that to find.
        """
        found = _NUMBER.search((await self.ask(b"STAT")).text)
        return int(found[0]) if found else len((await self.ask(b"LIST")).lines)

    async def sizes(self) -> dict[int, int]:
        """Return the octets of each message that LIST lists, by number; Undetermined if it does not say."""
        return dict(_read(parse_scan_listing, await self.control(b"LIST")))

    async def unique_ids(self) -> dict[int, bytes]:
        """Return the unique-id of each message that UIDL lists, by number; Undetermined if it does not say."""
        answer = await self.ask(b"UIDL")
        if answer.err and not answer.not_now:
            raise NotApplicable("UIDL is not offered")       # RFC 1939 §7: it is optional
        return dict(_read(parse_uidl, self.must(answer, to=b"UIDL")))

    async def quit(self) -> Pop3Answer:
        """Say goodbye, and return the answer."""
        return await self.ask(b"QUIT")

    async def still_there(self) -> Pop3Answer:
        """Return the answer to NOOP: the session, logged in, must have survived what it was asked."""
        return await self.ask(b"NOOP")

    def _mark(self, sample: Sample) -> str:
        return f"{self.subject.run_token}-sample-{sample.name}"

    def _apart(self) -> "Pop3Peer":
        """Return a session that looks after the maildrop; what it says is no part of the case."""
        return Pop3Peer(self.subject, self.token, self._stack, _Case(maildrops=self._case.maildrops))

    async def _lying(self, maildrop: Maildrop) -> Lying:
        if maildrop.lying is None:
            maildrop.lying = await look_until(self._apart, maildrop, None, [])
        return maildrop.lying

    def _forget_if_changed(self) -> None:
        said = (turn.octets for one in self.transcripts for turn in one.turns if turn.speaker is Speaker.CLIENT)
        if any(_MAY_DELETE.search(octets) for octets in said):
            self.forget_maildrop()


def _read(parse: Callable[[Response], T], response: Response) -> T:
    try:
        return parse(response)
    except RemoteProtocolError as error:
        raise Undetermined(f"{error.why}: {printable(error.octets, 80)}") from None
