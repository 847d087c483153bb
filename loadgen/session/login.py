"""Which SASL exchange a planned login is (RFC 4954, RFC 5034)."""

from loadgen.scenario.accounts import Account
from loadgen.wire.sasl import Mechanism, make_mechanism


def mechanism_for(auth: str, account: Account | None, arrival: int) -> Mechanism | None:
    """Return the client side of the scenario's `auth` for an account; None for `none`.

    The client nonce (SCRAM) is made of the arrival's number: a run must be repeatable to the octet,
    and the secrets of a load test need no protection from replay.
    """
    if auth == "none" or account is None:
        return None
    return make_mechanism(auth.upper(), account.login, account.password, nonce=f"mailproof{arrival:016x}")
