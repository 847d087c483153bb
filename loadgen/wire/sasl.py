"""SASL mechanisms, the client's side, and APOP's digest. A mechanism is made for one exchange."""

import hmac
import re
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import md5, pbkdf2_hmac, sha256
from typing import Final, Protocol

from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError

# The server names the rounds, at least 4,096 (RFC 7677 §4). This many take a large fraction of a second.
_ITERATIONS_MAX: Final = 1_000_000


class Mechanism(Protocol):
    """One exchange: an initial response if there is one, then an answer to each challenge in turn."""

    name: str

    def initial(self) -> bytes | None:
        """Return the initial response, or None if the server speaks first."""

    def answer(self, challenge: bytes) -> bytes:
        """Return the response to a decoded challenge; RemoteProtocolError if it is not the mechanism's."""


class Plain:
    """PLAIN (RFC 4616)."""

    name = "PLAIN"

    def __init__(self, login: str, password: str, *, authorization_identity: str = "") -> None:
        if "\0" in login + password + authorization_identity:
            raise LocalProtocolError("PLAIN separates its fields with NUL: none may hold one (RFC 4616 §2)")
        self._message = f"{authorization_identity}\0{login}\0{password}".encode()

    def initial(self) -> bytes | None:
        """Return the whole message: there is no challenge."""
        return self._message

    def answer(self, challenge: bytes) -> bytes:
        """Return the message, asked for by an empty challenge where no initial response was sent."""
        if challenge:
            raise RemoteProtocolError("PLAIN has no challenge", octets=challenge, section="RFC 4616 §2")
        return self._message


class Login:
    """LOGIN, which no RFC defines: two prompts, login then password, whose words differ and are not read."""

    name = "LOGIN"

    def __init__(self, login: str, password: str) -> None:
        self._answers = [password.encode(), login.encode()]

    def initial(self) -> bytes | None:
        """Return None: the server prompts."""
        return None

    def answer(self, challenge: bytes) -> bytes:
        """Return the login, then the password."""
        if not self._answers:
            raise RemoteProtocolError("LOGIN has two prompts", octets=challenge, section="RFC 4954 §4")
        return self._answers.pop()


class CramMd5:
    """CRAM-MD5 (RFC 2195)."""

    name = "CRAM-MD5"

    def __init__(self, login: str, password: str) -> None:
        self._login = login.encode()
        self._password = password.encode()

    def initial(self) -> bytes | None:
        """Return None: the server sends its timestamp."""
        return None

    def answer(self, challenge: bytes) -> bytes:
        """Return the login and the keyed digest of the challenge (RFC 2195 §2)."""
        return self._login + b" " + hmac.new(self._password, challenge, md5).hexdigest().encode("ascii")


# server-first-message = "r=" nonce "," "s=" base64 "," "i=" 1*DIGIT ["," extensions]   (RFC 5802 §7)
_SERVER_FIRST: Final = re.compile(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,.*)?")
_SCRAM: Final = "RFC 5802 §5"


class ScramSha256:
    """SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).

    The nonce is the caller's: wire has no randomness. It must be printable ASCII without a comma, and fresh.
    """

    name = "SCRAM-SHA-256"

    def __init__(self, login: str, password: str, *, nonce: str) -> None:
        if not re.fullmatch(r"[!-+\--~]+", nonce):
            raise LocalProtocolError("a SCRAM nonce is printable ASCII without a comma (RFC 5802 §5.1)")
        name = _saslprep(login).replace("=", "=3D").replace(",", "=2C")
        self._password = _saslprep(password).encode()
        self._nonce = nonce.encode("ascii")
        self._first_bare = b"n=%b,r=%b" % (name.encode(), self._nonce)
        self._signature: bytes | None = None  # the server's, as it will have to be
        self._verified = False

    def initial(self) -> bytes | None:
        """Return the client-first-message."""
        return b"n,," + self._first_bare

    def answer(self, challenge: bytes) -> bytes:
        """Return the client-final-message, then, once the server has proved itself too, an empty response."""
        if self._signature is None:
            return self._prove(challenge)
        if self._verified or not hmac.compare_digest(challenge, b"v=" + b64encode(self._signature)):
            raise RemoteProtocolError("not the server's signature", octets=challenge, section=_SCRAM)
        self._verified = True
        return b""

    def _prove(self, server_first: bytes) -> bytes:
        found = _SERVER_FIRST.fullmatch(server_first)
        if found is None or not found[1].startswith(self._nonce) or found[1] == self._nonce:
            raise RemoteProtocolError("no server-first-message to ours", octets=server_first, section=_SCRAM)
        iterations = int(found[3])
        if iterations > _ITERATIONS_MAX:
            raise RemoteProtocolError(
                f"more than {_ITERATIONS_MAX} rounds asked for", octets=server_first, section=_SCRAM
            )
        client_key, server_key = _scram_keys(self._password, decode_challenge(found[2]), iterations)
        final = b"c=biws,r=" + found[1]  # "biws": base64 of "n,,", the header of no channel binding
        auth_message = b",".join((self._first_bare, server_first, final))
        self._signature = hmac.digest(server_key, auth_message, "sha256")
        proof = hmac.digest(sha256(client_key).digest(), auth_message, "sha256")
        return final + b",p=" + b64encode(bytes(a ^ b for a, b in zip(client_key, proof, strict=True)))


@lru_cache(maxsize=4096)  # the slow part, the same in every session of an account; clients may keep it: RFC 5802 §5.1
def _scram_keys(password: bytes, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    salted = pbkdf2_hmac("sha256", password, salt, iterations)
    return hmac.digest(salted, b"Client Key", "sha256"), hmac.digest(salted, b"Server Key", "sha256")


def _saslprep(text: str) -> str:
    """Prepare a login or password for comparison (RFC 4013 §2). LocalProtocolError if it may not be used."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    right_to_left = any(map(stringprep.in_table_d1, prepared))
    if (
        any(prohibited(c) for c in prepared for prohibited in _PROHIBITED)
        or (right_to_left and any(map(stringprep.in_table_d2, prepared)))
        or (right_to_left and not all(map(stringprep.in_table_d1, prepared[0] + prepared[-1])))
    ):
        raise LocalProtocolError("a login or password holds a character that SASLprep prohibits (RFC 4013 §2.3)")
    return prepared


_PROHIBITED: Final[tuple[Callable[[str], bool], ...]] = (  # RFC 4013 §2.3, §2.5
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)

MECHANISMS: Final = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")


def make_mechanism(name: str, login: str, password: str, *, nonce: str) -> Mechanism:
    """Return the mechanism of this name, in any case, for one exchange; only SCRAM uses the nonce.

    Raises LocalProtocolError for a name that is not in MECHANISMS.
    """
    makers: Mapping[str, Callable[[], Mechanism]] = {
        "PLAIN": lambda: Plain(login, password),
        "LOGIN": lambda: Login(login, password),
        "CRAM-MD5": lambda: CramMd5(login, password),
        "SCRAM-SHA-256": lambda: ScramSha256(login, password, nonce=nonce),
    }
    maker = makers.get(name.upper())
    if maker is None:
        raise LocalProtocolError(f"no mechanism {name!r}: there are {', '.join(MECHANISMS)}")
    return maker()


def decode_challenge(text: bytes) -> bytes:
    """Return what the text of a 334 reply or "+ " response says. RemoteProtocolError if it is no base64."""
    try:
        return b64decode(text, validate=True)
    except Base64Error:
        raise RemoteProtocolError("a challenge is no base64", octets=text[:512], section="RFC 4954 §4") from None


def apop_digest(timestamp: bytes, secret: str) -> str:
    """Return the MD5 of the timestamp, its angle brackets included, and the secret (RFC 1939 §7)."""
    return md5(timestamp + secret.encode(), usedforsecurity=False).hexdigest()
