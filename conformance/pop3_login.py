"""The ways into a maildrop: what a client says to log in, each a sequence of lines that hangs on the answers."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from conformance.pop3_answer import Pop3Answer
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.sasl import apop_digest, decode_challenge, make_mechanism

ROUNDS: Final = 8            # of challenge and response, in which every mechanism is long over
Ask = Callable[[bytes], Awaitable[Pop3Answer]]
WayIn = Callable[[Ask, str, str, bytes], Awaitable[Pop3Answer]]      # name, password, timestamp -> the last answer


async def by_user(ask: Ask, login: str, password: str, _timestamp: bytes) -> Pop3Answer:
    """Log in by USER and PASS (RFC 1939 §7)."""
    answer = await ask(b"USER " + login.encode())
    return await ask(b"PASS " + password.encode()) if answer.ok else answer


async def by_apop(ask: Ask, login: str, password: str, timestamp: bytes) -> Pop3Answer:
    """Log in by APOP (RFC 1939 §7)."""
    return await ask(b"APOP %b %b" % (login.encode(), apop_digest(timestamp, password).encode()))


def by_sasl(name: str) -> WayIn:
    """Return how one logs in by a SASL mechanism, without an initial response (RFC 5034 §4)."""

    async def log_in(ask: Ask, login: str, password: str, _timestamp: bytes) -> Pop3Answer:
        mechanism = make_mechanism(name, login, password, nonce="mailproof")
        initial = mechanism.initial()
        answer = await ask(b"AUTH " + name.upper().encode())
        for _ in range(ROUNDS):
            if not answer.continues:
                break
            try:
                response = initial or mechanism.answer(decode_challenge(answer.text))
            except RemoteProtocolError:
                return await ask(b"*")
            initial = None
            answer = await ask(b64encode(response))
        return await ask(b"*") if answer.continues else answer

    return log_in


# In the order in which they are tried.
WAYS: Final[Mapping[str, WayIn]] = MappingProxyType({
    "USER": by_user,
    "APOP": by_apop,
    **{name.upper(): by_sasl(name) for name in ("plain", "login", "cram-md5", "scram-sha-256")},
})
