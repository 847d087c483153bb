"""Which SASL exchange a planned login is (RFC 4954, RFC 5034)."""

from typing import Final

from loadgen.scenario.accounts import Account
from loadgen.session.trace import Trace
from loadgen.wire.sasl import Mechanism, make_mechanism


def mechanism_for(auth: str, account: Account | None, arrival: int) -> Mechanism | None:
    """Return the client side of the scenario's `auth` for an account; None for `none`.

    The client nonce (SCRAM) is made of the arrival's number: a run must be repeatable to the octet,
    and the secrets of a load test need no protection from replay.
    """
    if auth == "none" or account is None:
        return None
    return make_mechanism(auth.upper(), account.login, account.password, nonce=f"mailproof{arrival:016x}")


# What an account's own state makes a POP3 server answer, whatever the password: RFC 2449 §8.1, RFC 3206 §4.
_NOT_THE_PASSWORD: Final = frozenset({"IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/PERM"})


def was_about_the_password(trace: Trace) -> bool:
    """Say whether the last answer refused a login for good, and not for the server's or the account's present state."""
    phase, code, detail = trace.replies[-1]
    return phase.endswith(".auth") and not code.startswith("4") and detail not in _NOT_THE_PASSWORD
