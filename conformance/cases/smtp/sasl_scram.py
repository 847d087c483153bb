"""SCRAM: who may log in with what, and what the server must look at (RFC 5802, RFC 7677)."""

from base64 import b64encode
from typing import Any, Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import challenge_of, judge_login, judge_refusal, log_in_once, ready_for, respond
from conformance.cases.smtp.scram_client import HASHES, ScramClient, ServerFirst, server_first
from conformance.judgement import Judgement, NotApplicable, Undetermined, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

SCRAM: Final = "SCRAM-SHA-256"
PLUS: Final = "SCRAM-SHA-256-PLUS"
ITERATIONS_MIN: Final = 4096              # RFC 5802 §5.1, RFC 7677 §4
NONCES: Final = 24
VERIFIER: Final = b"v="


def _client(peer: SmtpPeer, **otherwise: Any) -> ScramClient:
    login, password = peer.login
    return ScramClient(**{"login": login, "password": password, "nonce": peer.token.encode()} | otherwise)


async def _begun(peer: SmtpPeer, client: ScramClient) -> ServerFirst:
    """Say the first message, and return the challenge it must be answered with."""
    await ready_for(peer, client.mechanism)
    answer = await client.begin(peer)
    peer.must(answer, "334", to=b"the client's first message")
    first = server_first(answer)
    if first is None:
        raise Undetermined(f"no server-first-message: {printable(challenge_of(answer), 120)}")
    return first


async def _whole(peer: SmtpPeer, client: ScramClient) -> Answer:
    """Run an exchange that must fail, to its end, once the right one was seen to succeed."""
    await log_in_once(peer, SCRAM)
    await ready_for(peer, client.mechanism)
    return await client.finish(peer, await client.begin(peer))


@case("sasl.scram.ok", variants={name.lower().removeprefix("scram-"): name for name in HASHES})
async def both_sides_prove_themselves(peer: SmtpPeer, mechanism: str) -> Judgement:
    """The right password lets in, and the server proves that it knows it too."""
    client = _client(peer, mechanism=mechanism)
    await ready_for(peer, mechanism)
    answer = await client.begin(peer)
    if not answer.go_on:
        return await judge_login(peer, answer, mechanism, "the client's first message")
    first = server_first(answer)
    if first is None:
        return violated(printable(challenge_of(answer), 120), "r=nonce,s=salt,i=rounds")
    without_proof, proof = client.final(first)
    answer = await respond(peer, without_proof + b",p=" + b64encode(proof))
    if not answer.go_on:
        if answer.matches("235"):
            return violated(f"{answer} without the server's signature", "334 with v=")
        return await judge_login(peer, answer, mechanism, "the right proof")
    proved = challenge_of(answer)
    if proved != VERIFIER + b64encode(client.signature):
        return violated(f"{printable(proved, 120)} for the server's signature", "the one that proves the password")
    return await judge_login(peer, await respond(peer, b""), mechanism, "the response to the server's signature")


@case("sasl.scram.nonce-prefix")
async def the_nonce_goes_on_from_ours(peer: SmtpPeer) -> Judgement:
    """The server's nonce begins with the client's, and adds to it."""
    client = _client(peer)
    nonce = (await _begun(peer, client)).nonce
    goes_on = nonce.startswith(client.nonce) and nonce != client.nonce
    return (satisfied if goes_on else violated)(printable(nonce, 120), f"{printable(client.nonce)} and more")


@case("sasl.scram.nonce-unique")
async def no_nonce_comes_twice(peer: SmtpPeer) -> Judgement:
    """What the server adds to the nonce is never the same, though the client's is."""
    sessions = [peer, *[peer.another() for _ in range(NONCES - 1)]]
    nonces = [(await _begun(session, _client(peer))).nonce for session in sessions]
    again = next((nonce for nonce in nonces if nonces.count(nonce) > 1), None)
    if again is None:
        return satisfied(f"{NONCES} different ones")
    return violated(f"{printable(again, 120)} came {nonces.count(again)} times", "never the same")


@case("sasl.scram.iterations")
async def the_rounds_are_enough(peer: SmtpPeer) -> Judgement:
    """The salt goes through 4,096 rounds at least."""
    rounds = (await _begun(peer, _client(peer))).iterations
    return (satisfied if rounds >= ITERATIONS_MIN else violated)(f"i={rounds}", f"i={ITERATIONS_MIN} or more")


@case("sasl.scram.gs2-first-char", variants={"x": b"x,,", "upper-case": b"N,,", "none": b",,"})
async def the_header_begins_with_n_y_or_p(peer: SmtpPeer, header: bytes) -> Judgement:
    """A first message that begins with something other than n, y or p lets nobody in."""
    return judge_refusal(await _whole(peer, _client(peer, header=header)), f'"{header.decode()}" as header')


@case("sasl.scram.channel-binding-check", variants={"y-for-n": b"y,,", "empty": b"", "other": b"n,a=nobody,"})
async def the_binding_is_looked_at(peer: SmtpPeer, binding: bytes) -> Judgement:
    """A final message whose c= is not the header that was sent lets nobody in."""
    answer = await _whole(peer, _client(peer, binding=binding))
    return judge_refusal(answer, f'c= of "{binding.decode()}" after the header "n,,"')


@case("sasl.scram.nonce-mismatch", variants={"altered": True, "ours-alone": False})
async def the_nonce_must_come_back(peer: SmtpPeer, altered: bool) -> Judgement:
    """A final message with another nonce lets nobody in."""
    await log_in_once(peer, SCRAM)
    client = _client(peer)
    first = await _begun(peer, client)
    nonce = first.nonce[:-1] + (b"x" if first.nonce[-1:] != b"x" else b"y") if altered else client.nonce
    without_proof, proof = client.final(first, nonce=nonce)
    return judge_refusal(await respond(peer, without_proof + b",p=" + b64encode(proof)), "another nonce")


@case("sasl.scram.m-attribute")
async def what_is_not_understood_ends_it(peer: SmtpPeer) -> Judgement:
    """A first message with m=, an extension that must be understood, lets nobody in."""
    return judge_refusal(await _whole(peer, _client(peer, before_name=b"m=mailproof,")), "m= in the first message")


NAMES: Final = {"bare": b"{}=", "other-octet": b"=%X{rest}", "half": b"{}=2"}


@case("sasl.scram.escapes", variants=NAMES)
async def an_equals_sign_stands_for_two_marks(peer: SmtpPeer, form: bytes) -> Judgement:
    """In a name = stands only before 2C and 3D; another lets nobody in."""
    login = peer.login[0].encode()
    name = form.replace(b"{}", login).replace(b"%X", b"%X" % login[0]).replace(b"{rest}", login[1:])
    return judge_refusal(await _whole(peer, _client(peer, name=name)), f"the name {printable(name)}")


@case("sasl.scram.y-downgrade")
async def a_stripped_list_is_noticed(peer: SmtpPeer) -> Judgement:
    """A client that saw no -PLUS where it was offered has been lied to: it is let in by nobody."""
    await ready_for(peer, SCRAM)
    if PLUS not in peer.extensions.auth:
        raise NotApplicable(f"{PLUS} is not offered")
    return judge_refusal(await _whole(peer.another(), _client(peer, header=b"y,,")), f'"y" while {PLUS} is offered')


@case("sasl.scram.plus", variants={"random": b"0123456789ab", "none": b""})
async def the_channel_is_bound(peer: SmtpPeer, data: bytes) -> Judgement:
    """Another channel's binding lets nobody in."""
    header = b"p=tls-unique,,"
    client = _client(peer, mechanism=PLUS, header=header, binding=header + data)
    return judge_refusal(await _whole(peer, client), "another channel's binding")


@case("sasl.scram.error")
async def how_a_failure_is_told(peer: SmtpPeer) -> Judgement:
    """Whether a failed exchange ends by e= or by a plain refusal is recorded."""
    client = _client(peer, password=f"{peer.login[1]}x")
    first = await _begun(peer, client)
    without_proof, proof = client.final(first)
    answer = await respond(peer, without_proof + b",p=" + b64encode(proof))
    return observed(printable(challenge_of(answer), 120) if answer.go_on else answer)


@case("sasl.scram.unknown-user")
async def an_unknown_user_has_a_salt(peer: SmtpPeer) -> Judgement:
    """An unknown user is challenged like a known one, always with the same salt."""
    known = await _begun(peer, _client(peer))
    seen = []
    for session in (peer.another(), peer.another()):
        stranger = _client(peer, login=f"nobody-{peer.token}")
        await ready_for(session, SCRAM)
        answer = await stranger.begin(session)
        if answer.reply is None or answer.later:
            return undetermined(answer)
        first = server_first(answer) if answer.go_on else None
        if first is None:
            return violated(f"{answer} to an unknown user, 334 to a known one", "alike")
        seen.append(first)
    same = seen[0].salt == seen[1].salt and seen[0].iterations == known.iterations
    alike = same and len(seen[0].salt) == len(known.salt)
    got = ", ".join(f"i={one.iterations} and a salt of {len(one.salt)} octets" for one in (known, *seen))
    return satisfied(got) if alike else violated(f"{got}; the same salt: {'yes' if same else 'no'}", "alike")


def _one_bit_off(proof: bytes) -> bytes:
    return bytes([proof[0] ^ 1]) + proof[1:]


SPOILT: Final = {"one-bit": _one_bit_off, "empty": lambda proof: b"", "short": lambda proof: proof[:8],
                 "zeros": lambda proof: bytes(len(proof))}  # fmt: skip


@case("sasl.scram.proof-check", variants=SPOILT)
async def the_proof_is_looked_at(peer: SmtpPeer, spoil: Any) -> Judgement:
    """A wrong proof lets nobody in."""
    await log_in_once(peer, SCRAM)
    client = _client(peer)
    first = await _begun(peer, client)
    without_proof, proof = client.final(first)
    answer = await respond(peer, without_proof + b",p=" + b64encode(spoil(proof)))
    if answer.go_on and challenge_of(answer).startswith(b"e="):
        answer = await respond(peer, b"")
    return judge_refusal(answer, "a wrong proof")
