"""Response codes: what may be told to whom (RFC 2449 §8, RFC 3206)."""

from conformance.case import case
from conformance.cases.pop3.offers import offered
from conformance.cases.pop3.sasl_exchange import FAILING, NOBODY, can_log_in, fail_to_log_in
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.pop3_peer import Pop3Peer


@case("pop3.resp-codes.in-use-after-auth", variants=FAILING)
async def a_lock_is_told_to_its_owner_only(peer: Pop3Peer, way: str) -> Judgement:
    """[IN-USE] is not said to who gives a wrong password: it would tell that the name, or the password, is right."""
    login, _ = await peer.login()
    failure = await fail_to_log_in(peer, way, login)
    if not failure.last.err:
        raise Undetermined(f"{failure.last} to a wrong password")
    holder = peer.another()
    await holder.log_in()
    second = peer.another()
    refused = await second.try_log_in()
    if refused.ok:
        raise NotApplicable("a second session is let in: there is no lock to tell of")
    if not refused.err:
        raise Undetermined(f"{refused} to a second login")
    failure = await fail_to_log_in(peer.another(), way, login)
    told = next((answer for answer in failure.answers if answer.code == b"IN-USE"), None)
    if told is not None:
        return violated(f"{told} to a wrong password", "no [IN-USE]")
    return satisfied(failure.last) if failure.last.err else undetermined(failure.last)


@case("pop3.resp-codes.auth", variants={name: (way, None) for name, way in FAILING.items()})
@case("pop3.resp-codes.auth", variants={f"nobody-by-{name}": (way, NOBODY) for name, way in FAILING.items()})
async def bad_credentials_are_called_so(peer: Pop3Peer, said: tuple[str, str | None]) -> Judgement:
    """Where AUTH-RESP-CODE is listed, a login with a wrong name or password is refused with [AUTH]."""
    way, name = said
    login = name or (await peer.login())[0]
    await can_log_in(peer, way)
    await peer.prelude()
    await offered(peer)
    failure = await fail_to_log_in(peer, way, login)
    answer = failure.last
    if not answer.err or answer.not_now:
        return undetermined(f"{answer} to a login that must fail")
    got = f"{answer} to a wrong {'name' if name else 'password'}"
    return satisfied(got) if answer.code == b"AUTH" else violated(got, "-ERR [AUTH]")
