"""PLAIN: one message with three fields (RFC 4616 §2), and the identity acted for (RFC 4954 §4)."""

from base64 import b64encode
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import begin, judge_login, judge_refusal, log_in_once, plain_message, ready_for
from conformance.judgement import Judgement, NotApplicable, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

FIELD_OCTETS_MAX: Final = 255


async def _said(peer: SmtpPeer, message: bytes) -> Answer:
    """Say PLAIN's message, after the right login was taken in a session of its own."""
    await log_in_once(peer)
    await begin(peer)
    return await peer.ask(message)


@case("sasl.plain.ok")
async def plain_lets_in(peer: SmtpPeer) -> Judgement:
    """PLAIN with the right login lets in."""
    await begin(peer)
    answer = await peer.ask(plain_message(*peer.login))
    return await judge_login(peer, answer, "PLAIN", "the right login")


@case("sasl.plain.same-authzid")
async def one_may_act_as_oneself(peer: SmtpPeer) -> Judgement:
    """PLAIN takes an authorization identity that is the login itself."""
    login, password = peer.login
    answer = await _said(peer, plain_message(login, password, actor=login))
    return answer.expect("235", to="one's own name as authorization identity")


def _another_user(peer: SmtpPeer) -> str:
    """Return somebody else's login, written as the declared one is."""
    login, _ = peer.login
    others = [name for name, _ in (*peer.subject.declared.accounts.smtp, *peer.subject.declared.accounts.pop3)]
    other = next((name for name in others if name.partition("@")[0] != login.partition("@")[0]), None)
    if other is None:
        raise NotApplicable("needs a second login (accounts.smtp or accounts.pop3)")
    return other


@case("sasl.plain.other-authzid", variants={"user": True, "nobody": False})
async def one_may_not_act_as_others(peer: SmtpPeer, exists: bool) -> Judgement:
    """PLAIN does not let a user act for somebody else."""
    actor = _another_user(peer) if exists else f"nobody-{peer.token}"
    answer = await _said(peer, plain_message(*peer.login, actor=actor))
    return judge_refusal(answer, "another name as authorization identity")


# What SASLprep makes nothing of, and what it forbids (RFC 4013 §2.1, §2.3).
UNPREPARED: Final = {"emptied": "\u00ad", "prohibited": "\u0007"}


@case("smtp.auth.empty-identity", variants=UNPREPARED)
async def an_identity_must_be_one(peer: SmtpPeer, actor: str) -> Judgement:
    """An authorization identity that SASLprep refuses, or leaves nothing of, lets nobody in."""
    answer = await _said(peer, plain_message(*peer.login, actor=actor))
    return judge_refusal(answer, f"the authorization identity {actor!a}")


FORMS: Final = {
    "no-nul": b"{}{}", "one-nul": b"{}\0{}", "three-nuls": b"\0{}\0{}\0more", "trailing-nul": b"\0{}\0{}\0",
}


@case("sasl.plain.structure", variants=FORMS)
async def plain_has_two_nuls(peer: SmtpPeer, form: bytes) -> Judgement:
    """PLAIN's message has two NULs, no more and no fewer."""
    login, password = (part.encode() for part in peer.login)
    await ready_for(peer, "PLAIN")
    message = form.replace(b"{}", login, 1).replace(b"{}", password, 1)
    return judge_refusal(await peer.ask(b"AUTH PLAIN " + b64encode(message)), "PLAIN of another form")


@case("sasl.plain.empty-fields", variants={"login": (False, True), "password": (True, False)})
async def plain_has_no_empty_fields(peer: SmtpPeer, given: tuple[bool, bool]) -> Judgement:
    """PLAIN without a login, or without a password, lets nobody in."""
    login, password = (part if there else "" for part, there in zip(peer.login, given, strict=True))
    await ready_for(peer, "PLAIN")
    return judge_refusal(await peer.ask(b"AUTH PLAIN " + plain_message(login, password)), "PLAIN with an empty field")


LONG: Final = "x" * FIELD_OCTETS_MAX
LONG_FIELDS: Final = {"login": ("", LONG, "x"), "password": ("", "{}", LONG), "all": (LONG, LONG, LONG)}


@case("sasl.plain.lengths", variants=LONG_FIELDS)
async def plain_takes_long_fields(peer: SmtpPeer, fields: tuple[str, str, str]) -> Judgement:
    """Fields of 255 octets are no mistake in syntax."""
    actor, login, password = fields
    message = plain_message(login.format(peer.login[0]), password, actor=actor)
    await begin(peer)
    answer = await peer.ask(message)
    to = "PLAIN with fields of 255 octets"
    if answer.matches("501"):        # may also be what the server says to any login it does not like
        return declined(f"{answer} to {to}", "535")
    if answer.matches("500") or answer.closed:
        return violated(f"{answer} to {to}", "535")
    return answer.expect("5yz", "235", to=to)


TEXTS: Final = {
    "other-password": (b"{}", "pässwörd".encode()), "other-login": ("jürgen".encode(), b"x"),
    "bad-password": (b"{}", b"p\xff\xfe\xc3"), "bad-login": (b"u\xff\xc3", b"x"),
}


@case("sasl.plain.utf8", variants=TEXTS)
async def plain_takes_any_octets_calmly(peer: SmtpPeer, fields: tuple[bytes, bytes]) -> Judgement:
    """A login or password beyond ASCII, or of octets that are no UTF-8, is refused as any wrong one is."""
    login, password = fields
    await begin(peer)
    answer = await peer.ask(b64encode(b"\0" + login.replace(b"{}", peer.login[0].encode()) + b"\0" + password))
    if answer.closed:
        return violated(f"{answer} to PLAIN beyond ASCII", "an ordinary refusal")
    if not answer.no:
        return answer.expect("5yz", to="PLAIN beyond ASCII")
    after = await peer.still_there()
    return undetermined(after) if after.later else (satisfied if after.yes else violated)(f"{answer}, then {after}")
