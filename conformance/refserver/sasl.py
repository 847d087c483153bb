"""The server's side of SASL: PLAIN (RFC 4616), LOGIN (as practised), CRAM-MD5 (RFC 2195); SCRAM is `scram`'s.

SMTP (RFC 4954) and POP3 (RFC 5034) wrap the same exchange in different words; only octets pass here.
"""

import binascii
import hmac
from typing import Final, Protocol

from conformance.refserver.behaviour import CRAM_MD5, LOGIN, PLAIN, SCRAM_SHA_256
from conformance.refserver.directory import Account, Directory
from conformance.refserver.failed import Failed
from conformance.refserver.scram import ScramSha256

SENDS_PASSWORDS: Final = frozenset({PLAIN, LOGIN})


class Exchange(Protocol):
    """One authentication exchange. Bytes returned are the next challenge; anything else ends it."""

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        """Take the initial response (None: there was none) and return the first challenge or the end."""

    def answer(self, response: bytes) -> bytes | Account | Failed:
        """Take the response to the last challenge."""


class Plain:
    """authzid NUL authcid NUL password, in one message (RFC 4616 §2)."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        """See Exchange. Without an initial response the challenge is empty."""
        return b"" if initial is None else self.answer(initial)

    def answer(self, response: bytes) -> bytes | Account | Failed:
        """See Exchange. Acting for somebody else (another authzid) is refused."""
        fields = response.split(b"\0")
        if len(fields) != 3:
            return Failed.CREDENTIALS
        authzid, authcid, password = fields
        account = self._directory.authenticate(authcid, password)
        if account is None:
            return Failed.CREDENTIALS
        if authzid and self._directory.account(authzid.decode("utf-8", "replace")) is not account:
            return Failed.CREDENTIALS
        return account


class Login:
    """User name and password, each asked for. Clients differ on whether the name may come at once; it may."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._user: bytes | None = None

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        """See Exchange."""
        return b"Username:" if initial is None else self.answer(initial)

    def answer(self, response: bytes) -> bytes | Account | Failed:
        """See Exchange."""
        if self._user is None:
            self._user = response
            return b"Password:"
        return self._directory.authenticate(self._user, response) or Failed.CREDENTIALS


class CramMd5:
    """A challenge, answered with the login and HMAC-MD5 of the challenge under the password (RFC 2195 §2)."""

    def __init__(self, directory: Directory, challenge: bytes) -> None:
        self._directory = directory
        self._challenge = challenge

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        """See Exchange. The server speaks first, so there is no initial response (RFC 4954 §4)."""
        return self._challenge if initial is None else Failed.SYNTAX

    def answer(self, response: bytes) -> bytes | Account | Failed:
        """See Exchange."""
        login, space, digest = response.rpartition(b" ")
        account = self._directory.account(login.decode("utf-8", "replace"))
        matches = hmac.compare_digest(self.expected(account), digest)
        return account if account and space and matches else Failed.CREDENTIALS

    def expected(self, account: Account | None) -> bytes:
        """Return the digest that an account answers with; there is one for nobody, too."""
        secret = account.password.encode() if account else b""
        return hmac.new(secret, self._challenge, "md5").hexdigest().encode()


def start_exchange(mechanism: str, directory: Directory, timestamp: bytes) -> Exchange:
    """Return a new exchange. `timestamp` is an unrepeated `<random.time@host>`; PLAIN and LOGIN do without."""
    if mechanism == CRAM_MD5:
        return CramMd5(directory, timestamp)
    if mechanism == SCRAM_SHA_256:
        return ScramSha256(directory, timestamp)
    return Login(directory) if mechanism == LOGIN else Plain(directory)


def decode_base64(octets: bytes) -> bytes | None:
    """Return what the base64 stands for, or None unless every octet of it is in its place (RFC 4648 §3)."""
    try:
        return binascii.a2b_base64(octets, strict_mode=True)
    except binascii.Error:
        return None


def encode_base64(octets: bytes) -> bytes:
    """Return base64 without line ends."""
    return binascii.b2a_base64(octets, newline=False)
