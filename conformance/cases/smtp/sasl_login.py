"""LOGIN, which no RFC defines, and the mechanisms that carry tokens or nobody's name."""

import json
from typing import Final

from conformance.case import case
from conformance.cases.smtp.logins import begin, challenge_of, ready_for, respond
from conformance.judgement import Judgement, NotApplicable, declined, observed, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable


@case("sasl.login.challenges")
async def the_prompts_of_login(peer: SmtpPeer) -> Judgement:
    """The words of LOGIN's two prompts are recorded."""
    first = await begin(peer, "LOGIN")
    second = await respond(peer, peer.login[0].encode())
    peer.must(second, "334", to=b"the login")
    return observed(" / ".join(printable(challenge_of(answer), 80) for answer in (first, second)))


@case("sasl.login.ir")
async def login_with_an_initial_response(peer: SmtpPeer) -> Judgement:
    """What LOGIN with an initial response is answered is recorded."""
    await ready_for(peer, "LOGIN")
    return observed(await peer.ask(b"AUTH LOGIN dXNlcg=="))


@case("sasl.login.cancel-second")
async def a_star_cancels_late(peer: SmtpPeer) -> Judgement:
    """A lone * in place of the password cancels the exchange: 501, and the session goes on."""
    await begin(peer, "LOGIN")
    peer.must(await respond(peer, peer.login[0].encode()), "334", to=b"the login")
    answer = await peer.ask(b"*")
    if not answer.matches("501"):
        return answer.expect("501", to="* in place of the password")
    return (await peer.still_there()).expect_open(to="NOOP after *")


BAD_TOKENS: Final = {
    "oauthbearer": ("OAUTHBEARER", b"n,,\x01auth=Bearer mailproof-bad-token\x01\x01"),
    "xoauth2": ("XOAUTH2", b"user=mailproof@example.test\x01auth=Bearer mailproof-bad-token\x01\x01"),
}
DUMMY: Final = {"OAUTHBEARER": b"\x01", "XOAUTH2": b""}


@case("sasl.oauth.error-challenge", variants=BAD_TOKENS)
async def a_bad_token_is_explained(peer: SmtpPeer, said: tuple[str, bytes]) -> Judgement:
    """A bad token is answered by a challenge that says why, in JSON, and then by a refusal."""
    mechanism, token = said
    answer = await begin(peer, mechanism)
    answer = await respond(peer, token)
    if answer.no:
        return declined(f"{answer} to a bad token", "334 with the reason")
    if not answer.go_on:
        return answer.expect("334", to="a bad token")
    try:
        reason = json.loads(challenge_of(answer))
    except ValueError:
        return violated(f"{answer} to a bad token: no JSON", "334 with the reason in JSON")
    final = await respond(peer, DUMMY[mechanism])
    if final.silent:
        return violated(f"{final} after the challenge", "5yz")
    if not isinstance(reason, dict):
        return violated(f"{answer} to a bad token: no object", "334 with the reason in JSON")
    return satisfied(f"{answer}, then {final}") if final.closed else final.expect("5yz", to="the dummy response")


@case("sasl.anonymous.offered")
async def nobody_is_nobody(peer: SmtpPeer) -> Judgement:
    """ANONYMOUS is not offered, or lets no mail out."""
    offers = (peer.subject.found.extensions, peer.subject.found.extensions_in_tls)
    if not any(offer is not None and "ANONYMOUS" in offer.auth for offer in offers):
        return satisfied("ANONYMOUS is not offered")
    await ready_for(peer, "ANONYMOUS")
    if not peer.subject.declared.addresses.foreign:
        raise NotApplicable("needs a foreign address (addresses.foreign)")
    answer = await peer.ask(b"AUTH ANONYMOUS bWFpbHByb29m")
    if not answer.matches("235"):
        return declined(f"offered; {answer} to AUTH ANONYMOUS", "not offered")
    await peer.mail()
    foreign = peer.subject.declared.addresses.foreign[0].encode()
    relayed = await peer.ask(b"RCPT TO:<" + foreign + b">")
    if relayed.yes:
        return violated(f"{relayed} to a foreign recipient after AUTH ANONYMOUS", "not offered")
    return declined(f"offered; {relayed} to a foreign recipient", "not offered")
