"""The server's side of SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).

What a faulty server does otherwise is a method or a pattern of its own here, for a subclass to replace.
"""

import binascii
import hmac
import re
from functools import lru_cache
from hashlib import pbkdf2_hmac, sha256
from typing import ClassVar

from conformance.refserver.directory import Account, Directory
from conformance.refserver.failed import Failed

# saslname = 1*(value-safe-char / "=2C" / "=3D")   (RFC 5802 §7)
_NAME = rb"(?:[^\x00=,]|=2C|=3D)+"


class ScramSha256:
    """One exchange; see `sasl.Exchange`. Passwords are compared as they are: those of a test server are ASCII."""

    # gs2-header client-first-message-bare; "m=" would be an extension that has to be understood (§5.1)
    FIRST: ClassVar = re.compile(
        rb"((n|y|p=[A-Za-z0-9.-]+),(?:a=(" + _NAME + rb"))?,)(n=(" + _NAME + rb"),r=([!-+\--~]+)(?:,[a-zA-Z]=[^,]+)*)"
    )
    FINAL: ClassVar = re.compile(
        rb"(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[a-oq-zA-Z]=[^,]+)*),p=([A-Za-z0-9+/=]+)"
    )
    ITERATIONS: ClassVar = 4096        # RFC 7677 §4

    def __init__(self, directory: Directory, timestamp: bytes) -> None:
        """`timestamp` is never the same twice: it makes the nonce."""
        self._directory = directory
        self.ours = timestamp
        self._header = self._bare = self._first = self.nonce = b""
        self.account: Account | None = None
        self._proved = False
        self._stored_key = self._server_key = b""

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        """See Exchange. The client speaks first; without an initial response it is asked to."""
        return b"" if initial is None else self.answer(initial)

    def answer(self, response: bytes) -> bytes | Account | Failed:
        """See Exchange: the client's first message, its final one, and the empty one that takes our signature."""
        if not self._first:
            return self._take_first(response)
        if not self._proved:
            return self._take_final(response)
        return self.account if self.account is not None and not response else Failed.SYNTAX

    def _take_first(self, message: bytes) -> bytes | Failed:
        found = self.FIRST.fullmatch(message)
        if found is None:
            return Failed.SYNTAX
        if not self.binds(found[2]):
            return Failed.CREDENTIALS
        self._header, self._bare = found[1], found[4]
        name = self.unescaped(found[5])
        self.account = self._directory.account(name.decode("utf-8", "replace"))
        if found[3] is not None and not self._is_same(self.unescaped(found[3])):
            self.account = None
        salt = self.salt(name)
        self.nonce = self.joined(found[6], self.ours)
        password = self.account.password.encode() if self.account is not None else b""
        self._stored_key, self._server_key = _keys(password, salt, self.ITERATIONS)
        self._first = b"r=%b,s=%b,i=%d" % (self.nonce, _base64(salt), self.ITERATIONS)
        return self._first

    def _take_final(self, message: bytes) -> bytes | Failed:
        found = self.FINAL.fullmatch(message)
        if found is None:
            return Failed.SYNTAX
        if not (self.is_bound(found[2], self._header) and self.is_our_nonce(found[3])):
            return Failed.CREDENTIALS
        said = b",".join((self._bare, self._first, found[1]))
        if self.account is None or not self.is_proof(found[4], hmac.digest(self._stored_key, said, "sha256")):
            return Failed.CREDENTIALS
        self._proved = True
        return b"v=" + self.signature(hmac.digest(self._server_key, said, "sha256"))

    def _is_same(self, name: bytes) -> bool:
        return self._directory.account(name.decode("utf-8", "replace")) is self.account

    # What can be done wrongly.

    def binds(self, flag: bytes) -> bool:
        """Say whether the kind of channel binding that is asked for can be had: none is offered."""
        return flag in {b"n", b"y"}

    def unescaped(self, name: bytes) -> bytes:
        """Undo the writing of "," and "=" in a name (§5.1)."""
        return name.replace(b"=2C", b",").replace(b"=3D", b"=")

    def salt(self, name: bytes) -> bytes:
        """Return a salt that is always the same for a name, whether anybody has it or not (§9)."""
        return sha256(b"salt of " + name.lower()).digest()[:16]

    def joined(self, theirs: bytes, ours: bytes) -> bytes:
        """Return the nonce of both sides."""
        return theirs + ours

    def is_bound(self, binding: bytes, header: bytes) -> bool:
        """Say whether the binding is of the header that was sent first."""
        return binding == _base64(header)

    def is_our_nonce(self, nonce: bytes) -> bool:
        """Say whether the nonce came back as it was sent."""
        return nonce == self.nonce

    def is_proof(self, proof: bytes, signature: bytes) -> bool:
        """Say whether the client has proved that it knows the password."""
        try:
            octets = binascii.a2b_base64(proof, strict_mode=True)
        except binascii.Error:
            return False
        client_key = bytes(a ^ b for a, b in zip(octets, signature, strict=False))
        return len(octets) == len(signature) and hmac.compare_digest(sha256(client_key).digest(), self._stored_key)

    def signature(self, octets: bytes) -> bytes:
        """Return what proves us to the client."""
        return _base64(octets)


@lru_cache(maxsize=4096)      # the slow part
def _keys(password: bytes, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    salted = pbkdf2_hmac("sha256", password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")


def _base64(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False)
