"""SCRAM, the client's side, in which every part of every message can be spoilt (RFC 5802 §3, RFC 7677)."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Final

from conformance.answer import Answer
from conformance.cases.smtp.logins import challenge_of, respond
from conformance.judgement import Undetermined
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

HASHES: Final = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
SERVER_FIRST: Final = re.compile(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,.*)?")
ITERATIONS_MAX: Final = 1_000_000       # as many take a large part of a second


@dataclass(frozen=True, slots=True)
class ServerFirst:
    """The server's challenge."""

    octets: bytes
    nonce: bytes
    salt: bytes
    iterations: int


def server_first(answer: Answer) -> ServerFirst | None:
    """Return what the server's first message says; None if it is none (RFC 5802 §7)."""
    octets = challenge_of(answer)
    found = SERVER_FIRST.fullmatch(octets)
    if found is None:
        return None
    try:
        return ServerFirst(octets, found[1], b64decode(found[2], validate=True), int(found[3]))
    except Base64Error:
        return None


@dataclass(slots=True)
class ScramClient:
    """One exchange, right in everything that was not given otherwise."""

    login: str
    password: str
    nonce: bytes
    mechanism: str = "SCRAM-SHA-256"
    header: bytes = b"n,,"                # gs2-header
    binding: bytes | None = None          # what c= says; None: the header
    name: bytes | None = None             # as written in n=; None: the login, escaped
    before_name: bytes = b""              # such as b"m=x,"
    signature: bytes = b""                # the server's, as it must be; known once `final` was made

    @property
    def bare(self) -> bytes:
        """Return the first message without its header."""
        name = self.login.replace("=", "=3D").replace(",", "=2C").encode() if self.name is None else self.name
        return self.before_name + b"n=" + name + b",r=" + self.nonce

    def final(self, first: ServerFirst, *, nonce: bytes | None = None) -> tuple[bytes, bytes]:
        """Return the final message without its proof, and the proof."""
        if first.iterations > ITERATIONS_MAX:
            raise Undetermined(f"{first.iterations} rounds are asked for")
        kind = HASHES[self.mechanism.removesuffix("-PLUS")]
        binding = b64encode(self.header if self.binding is None else self.binding)
        without_proof = b"c=" + binding + b",r=" + (first.nonce if nonce is None else nonce)
        said = b",".join((self.bare, first.octets, without_proof))
        salted = hashlib.pbkdf2_hmac(kind, self.password.encode(), first.salt, first.iterations)
        client_key = hmac.digest(salted, b"Client Key", kind)
        mask = hmac.digest(hashlib.new(kind, client_key).digest(), said, kind)
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", kind), said, kind)
        return without_proof, bytes(a ^ b for a, b in zip(client_key, mask, strict=True))

    async def begin(self, peer: SmtpPeer) -> Answer:
        """Say AUTH with the first message; return the answer."""
        return await peer.ask(f"AUTH {self.mechanism} ".encode() + b64encode(self.header + self.bare))

    async def finish(self, peer: SmtpPeer, answer: Answer) -> Answer:
        """Prove the password to the challenge, take whatever signature comes, and return the last answer."""
        if not answer.go_on:
            return answer
        first = server_first(answer)
        if first is None:
            raise Undetermined(f"no server-first-message: {printable(challenge_of(answer), 120)}")
        without_proof, proof = self.final(first)
        last = await respond(peer, without_proof + b",p=" + b64encode(proof))
        return await respond(peer, b"") if last.go_on else last
