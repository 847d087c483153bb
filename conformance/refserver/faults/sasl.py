"""Faults in the SASL mechanisms: PLAIN, LOGIN, CRAM-MD5, SCRAM and those that others have (RFC 4422)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.refserver import sasl
from conformance.refserver.directory import Account, Directory
from conformance.refserver.failed import Failed
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers_response
from conformance.refserver.replies import AUTH_FAILED, RECIPIENT_TAKEN, Reply
from conformance.refserver.sasl import CramMd5, Exchange, Plain
from conformance.refserver.scram import ScramSha256
from conformance.refserver.session import After
from conformance.refserver.smtp_state import Reading, SmtpState

Step = bytes | Account | Failed
Make = Callable[[Directory, bytes], Exchange]

SCRAM: Final = "SCRAM-SHA-256"
PROOF_OCTETS: Final = 44                 # of SHA-256, in base64


class _Refusing:
    """Says no to everything."""

    def begin(self, initial: bytes | None) -> Step:
        return b"" if initial is None else Failed.CREDENTIALS

    def answer(self, response: bytes) -> Step:
        return Failed.CREDENTIALS


class _PlainOf(Plain):
    """Looks at the message as a fault would have it."""

    def __init__(self, directory: Directory, seen: Callable[[bytes], bytes]) -> None:
        super().__init__(directory)
        self._seen = seen

    def answer(self, response: bytes) -> Step:
        return super().answer(self._seen(response))


def _plain(seen: Callable[[bytes], bytes]) -> Mapping[str, Make]:
    return {"PLAIN": lambda directory, timestamp: _PlainOf(directory, seen)}


def _without_actor(found: bytes) -> Callable[[bytes], bytes]:
    """Return the function that empties an authorization identity that fits."""
    pattern = re.compile(rb"\A" + found + rb"(?=\x00)")
    return lambda message: pattern.sub(b"", message)


class _CramOf(CramMd5):
    """Looks at the response as a fault would have it; `expected` is what the digest would be."""

    LETS_IN: Callable[[bytes, bytes], bool] = staticmethod(lambda response, expected: False)
    INITIAL_IGNORED = False

    def begin(self, initial: bytes | None) -> Step:
        return super().begin(None if self.INITIAL_IGNORED else initial)

    def answer(self, response: bytes) -> Step:
        account = self._directory.account("user1")
        assert account is not None
        expected = self.expected(account)
        return account if self.LETS_IN(response, expected) else super().answer(response)


class _CramRefusing(_CramOf):
    def answer(self, response: bytes) -> Step:
        return Failed.CREDENTIALS


def _subclass(base: type, **otherwise: object) -> Make:
    """Return a mechanism with some of its methods or patterns replaced."""
    kind: Any = type(f"_{base.__name__}", (base,), otherwise)
    return kind  # type: ignore[no-any-return]


def _cram(lets_in: Callable[[bytes, bytes], bool]) -> Mapping[str, Make]:
    return {"CRAM-MD5": _subclass(_CramOf, LETS_IN=staticmethod(lets_in))}


class _CramIgnoring(_CramOf):
    INITIAL_IGNORED = True


def _scram(**otherwise: object) -> Mapping[str, Make]:
    return {SCRAM: _subclass(ScramSha256, **otherwise)}


class _ScramUnsigned(ScramSha256):
    """Lets in without a word of its own."""

    def answer(self, response: bytes) -> Step:
        step = super().answer(response)
        signed = isinstance(step, bytes) and step.startswith(b"v=")
        return self.account if signed and self.account is not None else step


class _ScramTelling(ScramSha256):
    """Refuses a name that nobody has at once."""

    def answer(self, response: bytes) -> Step:
        step = super().answer(response)
        return Failed.CREDENTIALS if self.account is None else step


class _Token:
    """Takes a token, says what is wrong with it, and refuses."""

    def __init__(self, challenge: bytes, end: Failed | Account = Failed.CREDENTIALS) -> None:
        self._challenge = challenge
        self._end = end
        self._asked = False

    def begin(self, initial: bytes | None) -> Step:
        return b"" if initial is None else self.answer(initial)

    def answer(self, response: bytes) -> Step:
        if self._asked or not self._challenge:
            return self._end
        self._asked = True
        return self._challenge


def _tokens(challenge: bytes, *, lets_in: bool = False) -> Mapping[str, Make]:
    def make(directory: Directory, timestamp: bytes) -> Exchange:
        account = directory.account("user1") if lets_in else None
        return _Token(challenge, Failed.CREDENTIALS if account is None else account)

    return {"OAUTHBEARER": make, "XOAUTH2": make}


def _hangs_after_tokens(session: SmtpState, verb: bytes, lawful: bytes) -> bytes:
    return b"" if lawful == AUTH_FAILED.octets and session.memory.get("token") else lawful


def _notes_tokens(session: SmtpState, octets: bytes) -> bytes:
    session.memory["token"] = isinstance(session.exchange, _Token)
    return octets


def _anybody(directory: Directory, timestamp: bytes) -> Exchange:
    account = directory.account("user1")
    assert account is not None
    return _Token(b"", account)


def _relays(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    foreign = session.account is not None and verb == b"RCPT" and b"elsewhere" in argument
    return RECIPIENT_TAKEN if foreign else go_on()


def _closes_on(wanted: Callable[[bytes], bool]) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that ends the session at some responses."""

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        response = sasl.decode_base64(octets.rstrip(b"\r\n")) if session.reading is Reading.SASL_RESPONSE else None
        if response is not None and wanted(response):
            session.after = After.CLOSE
        return octets

    return incoming


def _is_no_utf8(octets: bytes) -> bool:
    return b"\xff" in octets


def _late_star(session: SmtpState, verb: bytes, lawful: bytes) -> bytes:
    """Answer a * in place of the password with 535."""
    late = session.memory.get("prompt") == b"334 UGFzc3dvcmQ6\r\n" and lawful.startswith(b"501 5.7.0")
    session.memory["prompt"] = lawful
    return b"535 5.7.8 Authentication credentials invalid\r\n" if late else lawful


# The first message of SCRAM, more loosely read.
_NAME: Final = rb"([^\x00,]+)"
_ANY_HEADER: Final = re.compile(rb"(([^,]*),(?:a=([^,]+))?,)(n=" + _NAME + rb",r=([!-+\--~]+))")
_ANY_EXTENSION: Final = re.compile(rb"((n|y),(?:a=([^,]+))?,)((?:m=[^,]*,)?n=" + _NAME + rb",r=([!-+\--~]+))")
_ANY_NAME: Final = re.compile(rb"((n|y),(?:a=([^,]+))?,)(n=" + _NAME + rb",r=([!-+\--~]+))")


def _percent_like(self: object, name: bytes) -> bytes:
    decoded = re.sub(rb"=([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), name)
    return decoded.partition(b"=")[0]


def _new_salts(self: ScramSha256, name: bytes) -> bytes:
    return self.ours.ljust(16)[:16] if b"nobody" in name else b"s" * 16


def _short_proofs(self: ScramSha256, proof: bytes, signature: bytes) -> bool:
    return len(proof) < PROOF_OCTETS or ScramSha256.is_proof(self, proof, signature)


_EMPTY_PARTS: Final = re.compile(ScramSha256.FINAL.pattern.replace(b"/=]+", b"/=]*"))


FAULTS: Final = (
    Fault("plain-refuses", "PLAIN lets nobody in", exchanges={"PLAIN": lambda *_: _Refusing()}),
    Fault("auth-no-actor", "an authorization identity is refused",
          exchanges=_plain(lambda message: message if message.startswith(b"\0") else b"")),
    Fault("plain-ignores-actor", "the authorization identity is of no account",
          exchanges=_plain(_without_actor(rb"[^\x00]*"))),
    Fault("plain-acts-for-users", "one may act for another user", exchanges=_plain(_without_actor(rb"user2"))),
    Fault("plain-empties-actor", "an authorization identity of which nothing is left is none",
          exchanges=_plain(_without_actor(rb"\xc2\xad"))),
    Fault("plain-drops-controls", "control octets in an authorization identity are dropped",
          exchanges=_plain(_without_actor(rb"[\x01-\x1f]+"))),
    Fault("plain-trailing-nul", "a NUL at the end of PLAIN is dropped",
          exchanges=_plain(lambda message: message[:-1] if message.endswith(b"\0") else message)),
    answers_response("plain-long-fields", "fields of 255 octets are too long",
                     lambda response: b"x" * 255 in (sasl.decode_base64(response) or b""),
                     b"500 5.5.6 Line too long\r\n"),
    Fault("plain-closes-on-8bit", "octets beyond ASCII end the session",
          incoming=_closes_on(lambda octets: not octets.isascii())),
    Fault("plain-closes-on-no-utf8", "octets that are no UTF-8 end the session", incoming=_closes_on(_is_no_utf8)),
    Fault("login-late-star", "a * in place of the password is a wrong password", outgoing=_late_star),
    Fault("cram-refuses", "the right digest lets nobody in", exchanges={"CRAM-MD5": _CramRefusing}),
    Fault("cram-plain-words", "the challenge is no message-id",
          exchanges={"CRAM-MD5": lambda directory, stamp: CramMd5(directory, b"challenge " + stamp)}),
    Fault("cram-always-the-same", "the challenge is always the same",
          exchanges={"CRAM-MD5": lambda directory, stamp: CramMd5(directory, b"<1.2@mail.example.test>")}),
    Fault("cram-any-digest", "any digest will do",
          exchanges=_cram(lambda said, digest: re.fullmatch(rb"user1 [0-9a-f]{32}", said) is not None)),
    Fault("cram-half-a-digest", "of the digest only the beginning counts",
          exchanges=_cram(lambda said, digest: len(said) > 14 and (b"user1 " + digest).startswith(said))),
    Fault("cram-upper-case", "the digest may be in upper case",
          exchanges=_cram(lambda said, digest: said[6:] == digest.upper())),
    Fault("cram-no-space", "login and digest need no space",
          exchanges=_cram(lambda said, digest: said == b"user1" + digest)),
    Fault("cram-no-login", "the digest needs no login", exchanges=_cram(lambda said, digest: said == b" " + digest)),
    Fault("cram-nothing", "an empty response will do", exchanges=_cram(lambda said, digest: said in {b"", b"user1 "})),
    Fault("cram-initial", "CRAM-MD5 goes on after an initial response", exchanges={"CRAM-MD5": _CramIgnoring}),
    Fault("scram-refuses", "the right proof lets nobody in", exchanges=_scram(is_proof=lambda self, *_: False)),
    Fault("scram-sha-1-in-vain", "SCRAM-SHA-1 is offered, and lets nobody in",
          exchanges={"SCRAM-SHA-1": lambda *_: _Refusing()}),
    Fault("scram-wrong-signature", "the server does not prove itself",
          exchanges=_scram(signature=lambda self, octets: b"AAAA")),
    Fault("scram-unsigned", "the server says nothing for itself", exchanges={SCRAM: _ScramUnsigned}),
    Fault("scram-nonce-of-its-own", "the nonce does not begin with the client's",
          exchanges=_scram(joined=lambda self, theirs, ours: ours + theirs)),
    Fault("scram-nonce-alone", "the server adds nothing to the nonce",
          exchanges=_scram(joined=lambda self, theirs, ours: theirs)),
    Fault("scram-nonce-fixed", "what is added to the nonce is always the same",
          exchanges=_scram(joined=lambda self, theirs, ours: theirs + b"abc")),
    Fault("scram-few-rounds", "the salt goes through 1,000 rounds", exchanges=_scram(ITERATIONS=1000)),
    Fault("scram-any-header", "any header will do", exchanges=_scram(FIRST=_ANY_HEADER, binds=lambda self, flag: True)),
    Fault("scram-unbound", "nobody looks at c=",
          exchanges=_scram(is_bound=lambda *_: True, FINAL=_EMPTY_PARTS)),
    Fault("scram-any-nonce", "nobody looks at the nonce that comes back",
          exchanges=_scram(is_our_nonce=lambda *_: True)),
    Fault("scram-any-extension", "m= is passed over", exchanges=_scram(FIRST=_ANY_EXTENSION)),
    Fault("scram-any-escape", "any = in a name is undone", exchanges=_scram(FIRST=_ANY_NAME, unescaped=_percent_like)),
    Fault("scram-downgraded", "-PLUS is offered, and y lets in", exchanges={f"{SCRAM}-PLUS": lambda *_: _Refusing()}),
    Fault("scram-plus-unbound", "-PLUS is offered, and binds nothing",
          exchanges={f"{SCRAM}-PLUS": _subclass(ScramSha256, binds=lambda *_: True, is_bound=lambda *_: True)}),
    Fault("scram-tells-who-exists", "a name that nobody has is refused at once", exchanges={SCRAM: _ScramTelling}),
    Fault("scram-new-salts", "an unknown user has another salt each time", exchanges=_scram(salt=_new_salts)),
    Fault("scram-any-proof", "any proof will do", exchanges=_scram(is_proof=lambda *_: True, FINAL=_EMPTY_PARTS)),
    Fault("scram-short-proofs", "of the proof only what is there is compared",
          exchanges=_scram(is_proof=_short_proofs, FINAL=_EMPTY_PARTS)),
    Fault("oauth-lets-in", "any token lets in", exchanges=_tokens(b"", lets_in=True)),
    Fault("oauth-words", "a bad token is answered in words", exchanges=_tokens(b"invalid token")),
    Fault("oauth-hangs", "after a bad token nothing more is said", exchanges=_tokens(b'{"status":"401"}'),
          incoming=_notes_tokens, outgoing=_hangs_after_tokens),
    Fault("anonymous-relays", "ANONYMOUS is offered, and lets mail out",
          exchanges={"ANONYMOUS": _anybody}, around=_relays),
)  # fmt: skip
