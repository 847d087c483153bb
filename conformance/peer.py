"""A case's side of an SMTP or LMTP session.

Two kinds of methods. Those that a preamble is made of (`open`, `mail`, `control` …) demand the answer they need and
raise Undetermined without it: then the case never came to its question. Those that ask the question (`ask`, `answer`,
`answer_or_silence`, of SmtpConnection) return whatever the server did.
"""

from base64 import b64encode
from contextlib import AsyncExitStack
from typing import Final

from conformance.answer import Answer
from conformance.judgement import NotApplicable, Undetermined
from conformance.mailbox import MailboxTrouble
from conformance.message import body_of, make_message
from conformance.room import resting
from conformance.sink import Sink, Transferred
from conformance.smtp_connection import SmtpConnection
from conformance.subject import Subject
from conformance.transcript import Transcript
from conformance.x25 import AFTER_QUIT_S
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.extensions import NO_EXTENSIONS, parse_extensions
from loadgen.wire.printable import printable
from loadgen.wire.reply import Reply
from loadgen.wire.sasl import decode_challenge, make_mechanism
from loadgen.wire.transparency import stuff

END_OF_MAIL_DATA: Final = b".\r\n"
MECHANISMS: Final = ("plain", "login", "cram-md5", "scram-sha-256")     # the first that is offered is used
CONNECTIONS_PER_CASE: Final = 64


class SmtpPeer(SmtpConnection):
    """One session of a case; `another` gives more of them. The runner closes them all."""

    def __init__(
        self, subject: Subject, token: str, stack: AsyncExitStack, transcripts: list[Transcript] | None = None
    ) -> None:
        self.transcripts = [] if transcripts is None else transcripts     # of all the case's sessions, in order
        super().__init__(subject, stack, f"{len(self.transcripts) + 1}" if self.transcripts else "")
        self.transcripts.append(self.transcript)
        self.token = token                         # in every message of this case, and in no other's
        self.extensions = NO_EXTENSIONS            # of the newest EHLO

    def another(self) -> "SmtpPeer":
        """Return one more session of the same case, not connected yet."""
        assert len(self.transcripts) < CONNECTIONS_PER_CASE, "a case that opens so many connections is no case"
        return SmtpPeer(self.subject, self.token, self._stack, self.transcripts)

    def aside(self) -> "SmtpPeer":
        """Return one more session whose messages are not counted among this case's own."""
        return SmtpPeer(self.subject, f"{self.token}f", self._stack, self.transcripts)

    # What a preamble is made of.

    async def control(self, command: bytes, *wanted: str) -> Reply:
        """Send a command whose answer the case depends on: 2yz, unless said otherwise."""
        return self.must(await self.ask(command), *wanted, to=command)

    @staticmethod
    def must(answer: Answer, *wanted: str, to: bytes = b"") -> Reply:
        """Return an answer's reply if it is what the case depends on; Undetermined if not."""
        if not answer.matches(*(wanted or ("2yz",))):
            raise Undetermined(f"{answer} to {printable(to, 80)}" if to else str(answer))
        assert answer.reply is not None
        return answer.reply

    async def greet(self) -> Reply:
        """Connect and take the greeting."""
        return self.must(await self.answer(), "220")

    async def ehlo(self) -> Reply:
        """Say EHLO, or LHLO, and note what is offered."""
        reply = await self.control(self.hello_line, "250")
        self.extensions = parse_extensions(reply.texts)
        return reply

    async def helo(self) -> Reply:
        """Say HELO; what was offered before is forgotten. LMTP does not have it (RFC 2033 §4.1)."""
        if self.subject.is_lmtp:
            raise NotApplicable("LMTP has no HELO")
        self.extensions = NO_EXTENSIONS
        return await self.control(b"HELO " + self.hello_name, "250")

    async def hello(self) -> None:
        """Come to where EHLO has been answered, in clear text unless TLS is implicit."""
        await self.greet()
        await self.ehlo()

    async def open(self) -> None:
        """Come to where MAIL may be said, the way that was declared: greeting, EHLO, TLS, login."""
        await self.hello()
        if self.subject.declared.session.tls == "starttls" and not self.in_tls:
            await self.start_tls()
        if self.subject.declared.session.login:
            await self.log_in()

    async def start_tls(self) -> None:
        """Begin TLS by STARTTLS, and say EHLO again (RFC 3207 §4.2)."""
        self.require("STARTTLS")
        await self.control(b"STARTTLS", "220")
        await self.must_shake_hands()
        await self.ehlo()

    async def must_shake_hands(self) -> None:
        """Begin TLS where it must begin; nothing is said in it yet."""
        trouble = await self.handshake()
        if trouble is not None:
            raise Undetermined(f"no TLS: {trouble}")

    async def log_in(self, *names: str) -> None:
        """Log in as the first of the declared accounts, by the first mechanism, of those named, that is offered."""
        login, password = self.login
        name = next((name for name in names or MECHANISMS if name.upper() in self.extensions.auth), None)
        if name is None:
            raise NotApplicable("no mechanism of AUTH is offered that we know")
        mechanism = make_mechanism(name, login, password, nonce=self.token)
        initial = mechanism.initial()
        answer = await self.ask(b"AUTH " + name.upper().encode())
        while answer.code == 334:
            assert answer.reply is not None
            try:
                challenge = decode_challenge(answer.reply.text)
                response, initial = (initial or mechanism.answer(challenge)), None
            except RemoteProtocolError as error:
                raise Undetermined(f"a challenge of AUTH {name.upper()}: {error.why}") from None
            answer = await self.ask(b64encode(response))
        self.must(answer, "235", to=b"AUTH " + name.upper().encode())

    @property
    def login(self) -> tuple[str, str]:
        """Return a name and password that may submit mail."""
        if not self.subject.declared.accounts.smtp:
            raise NotApplicable("no login was declared (accounts.smtp)")
        return self.subject.declared.accounts.smtp[0]

    def require(self, keyword: str) -> None:
        """Go on only if the newest EHLO offered an extension."""
        if keyword.upper() not in self.extensions.keywords:
            raise NotApplicable(f"{keyword} is not offered")

    @property
    def hello_name(self) -> bytes:
        """Return the argument of EHLO that this server takes."""
        return self.subject.found.hello_name.encode()

    @property
    def hello_verb(self) -> bytes:
        """Return the verb that asks for the extensions: EHLO, or LMTP's LHLO, which means the same (RFC 2033 §4.1)."""
        return b"LHLO" if self.subject.is_lmtp else b"EHLO"

    @property
    def hello_line(self) -> bytes:
        """Return that verb with an argument which this server takes."""
        return self.hello_verb + b" " + self.hello_name

    @property
    def sender(self) -> bytes:
        """Return the reverse-path that this server takes."""
        if self.subject.found.sender is None:
            raise Undetermined("the server takes no reverse-path that we know (addresses.sender declares one)")
        return self.subject.found.sender.encode()

    @property
    def marked_sender(self) -> bytes:
        """Return a reverse-path of this case alone, in the same domain: it marks even a message without content."""
        domain = self.sender.rpartition(b"@")[2]
        if not domain:
            raise NotApplicable("needs a reverse-path with a domain (addresses.sender)")
        return self.token.encode() + b"@" + domain

    @property
    def recipient(self) -> bytes:
        """Return a forward-path that this server takes."""
        return self.recipients(1)[0]

    @property
    def promised_recipient(self) -> bytes:
        """Return the first forward-path that was declared as accepted, whether or not this server takes it."""
        declared = self.subject.declared.addresses.accepted
        return declared[0].encode() if declared else self.recipient

    @property
    def promised_sender(self) -> bytes:
        """Return the reverse-path to try where it is not known that this server takes any."""
        return self.sender if self.subject.found.sender is not None else b"mailproof@example.test"

    def recipients(self, count: int) -> list[bytes]:
        """Return so many forward-paths that this server takes."""
        known = self.subject.found.recipients
        if len(known) < count:
            raise NotApplicable(f"needs {count} addresses that the server accepts (addresses.accepted)")
        return [address.encode() for address in known[:count]]

    @property
    def rejected(self) -> bytes:
        """Return a forward-path that this server refuses."""
        if not self.subject.declared.addresses.rejected:
            raise NotApplicable("needs an address that the server rejects (addresses.rejected)")
        return self.subject.declared.addresses.rejected[0].encode()

    @property
    def low_limit(self) -> int:
        """Return the largest message that is taken, in octets, where a larger one can be sent to see."""
        limit = self.subject.low_limit
        if limit is None:
            raise NotApplicable("needs a low limit on the size of a message (claims.message_octets_max)")
        return limit

    async def mail(self, *parameters: bytes) -> Reply:
        """Begin a transaction."""
        return await self.control(b" ".join([b"MAIL FROM:<" + self.sender + b">", *parameters]))

    async def rcpt(self, address: bytes | None = None) -> Reply:
        """Name a recipient."""
        return await self.control(b"RCPT TO:<" + (self.recipient if address is None else address) + b">")

    async def begin_transaction(self) -> None:
        """Come to where DATA may be said, from the start of the session if it was not opened yet."""
        if not self.is_open:
            await self.open()
        await self.mail()
        await self.rcpt()

    async def begin_mail_data(self) -> None:
        """Come to where mail data are awaited."""
        await self.begin_transaction()
        await self.control(b"DATA", "354")

    async def end_mail_data(self) -> Answer:
        """Send the line that ends the mail data, and return the answer: LMTP's for its one recipient."""
        await self.send(END_OF_MAIL_DATA)
        return await self.answer()

    async def end_of(self, message: bytes) -> Answer:
        """Send a message where mail data are awaited, and return the answer to its end."""
        await self.send(stuff(message))
        return await self.answer()

    async def quit(self) -> Answer:
        """Say goodbye, and return the answer."""
        if self.subject.x25:
            await self.send(b"QUIT\r\n")
            return await self.answer(AFTER_QUIT_S)
        return await self.ask(b"QUIT")

    async def still_there(self) -> Answer:
        """Return the answer to NOOP: the session must have survived what it was asked."""
        return await self.ask(b"NOOP")

    async def out_of_step(self) -> Answer | None:
        """Say EHLO once more; return what comes if that is no answer to it: the end, or what was still to come.

        It finds a command that was answered twice, without waiting for what should not come; unless EHLO is not
        welcome a second time: then only what comes behind the refusal tells whose answer it was.
        """
        answer = await self.ask(self.hello_line)
        if answer.closed:
            return answer
        if answer.reply is None or answer.later or answer.matches("554"):
            raise Undetermined(f"{answer} to another EHLO")
        offered = parse_extensions(answer.reply.texts)
        if answer.matches("250") and offered.greeting_name == self.extensions.greeting_name:
            return None
        return answer if (await self.answer_or_silence()).reply is not None else None

    # Mail.

    def message(self, body: bytes = b"A line.\r\n", *, header: bytes = b"", mark: str = "") -> bytes:
        """Return a message of this case, lines ended by CRLF: the least header, the fields given, the body.

        `mark` tells several of one case apart: some servers drop what comes twice under one Message-ID.
        """
        token = f"{self.token}.{mark}" if mark else self.token
        return make_message(self.sender, self.recipient, token, body, header=header)

    async def deliver(self, message: bytes) -> Answer:
        """Send a whole message in a transaction of its own; return the answer to its end."""
        await self.begin_mail_data()
        await self.send(stuff(message))
        return await self.answer()

    async def must_take_mail(self) -> None:
        """Go on only if the server takes an ordinary message, in a session of its own: else a refusal tells nothing."""
        other = self.another()
        self.must(await other.deliver(self.another_message()), to=b"an ordinary message")

    def another_message(self) -> bytes:
        """Return a message that is none of this case's own: it is not counted among what is stored."""
        return make_message(self.sender, self.recipient, f"{self.token}-other", b"A line.\r\n")

    async def deliver_as_is(self, mail_data: bytes) -> Answer:
        """Send mail data as they are, their end included, in a transaction of their own; return the answer."""
        await self.begin_mail_data()
        await self.send(mail_data)
        return await self.answer()

    async def stored(self, count: int = 1) -> tuple[bytes, ...]:
        """Return this case's messages as they lie in the maildrop: once there are so many, or when time is over."""
        return await self._find(count, self.subject.declared.timers.delivery)

    async def stored_within(self, seconds: float) -> bool:
        """Say whether one of this case's messages came into the maildrop so soon."""
        return bool(await self._find(1, seconds))

    async def stored_body(self) -> bytes:
        """Return the body of this case's one message as it lies in the maildrop; Undetermined if it did not arrive."""
        arrived = await self.stored()
        if not arrived:
            raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
        return body_of(arrived[0])

    async def stored_before_a_later_one(self) -> tuple[bytes, ...]:
        """Return what lies in the maildrop of this case's messages once a later message has arrived there.

        Absence can only be seen so: what has not come before a message that was sent after it will not come.
        """
        fence = self.aside()
        self.must(await fence.deliver(fence.message()), to=b"a later message")
        if not await fence.stored():
            raise Undetermined("a later message did not arrive either")
        return await self._find(1, self.subject.quiet_s)

    async def stored_so_far(self) -> tuple[bytes, ...]:
        """Return what lies in the maildrop of this case's messages now."""
        return await self._find(0, 0.0)

    @property
    def sink(self) -> Sink:
        """Return the server of ours to which one domain's mail is sent on."""
        if self.subject.sink is None:
            raise NotApplicable("needs a sink that the server sends a domain's mail to (sink.smtp, sink.domain)")
        return self.subject.sink

    async def sent_on(self, count: int = 1, within_s: float | None = None) -> tuple[Transferred, ...]:
        """Return this case's messages as they came to the sink: once there are so many, or when time is over."""
        async with resting():
            limit_s = self.subject.declared.timers.delivery if within_s is None else within_s
            came = await self.sink.find(self.token, count, limit_s)
        self.transcript.mail_missed |= len(came) < count
        return came

    def at_sink(self, prefix: bytes = b"") -> bytes:
        """Return an address of this case alone whose mail comes to the sink."""
        return prefix + self.token.encode() + b"@" + self.sink.domain.encode()

    async def _find(self, count: int, within_s: float) -> tuple[bytes, ...]:
        if self.subject.mailbox is None:
            raise NotApplicable("what was delivered cannot be read back (accounts.pop3 and pop3://, or maildir)")
        try:
            async with resting():
                found = await self.subject.mailbox.find(self.token, count, within_s)
        except MailboxTrouble as trouble:
            raise Undetermined(str(trouble)) from None
        self.transcript.mail_missed |= len(found) < count
        return found
