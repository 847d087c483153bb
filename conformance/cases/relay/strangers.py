"""Who asks to have mail sent on, and when: nobody may who has not logged in (RFC 5321 §3.6.2, §7.9)."""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

from conformance.case import case
from conformance.cases.relay.probe import (
    REFUSED,
    Whose,
    arrive,
    begin,
    follow,
    own_domain,
    own_literal,
    pass_on,
    plain,
    refused,
    takes_its_own,
)
from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined
from conformance.peer import SmtpPeer

# How the session begins.
WAYS: Final = ("ehlo", "helo", "tls", "after-a-message", "auth-parameter")


@case("relay.plain", variants={way: way for way in WAYS})
async def a_stranger_is_refused(peer: SmtpPeer, way: str) -> Judgement:
    """Mail from somebody outside for somebody outside is not taken."""
    if way == "helo":
        await peer.greet()
        await peer.control(b"HELO " + peer.hello_name)
        await takes_its_own(peer)
    else:
        await arrive(peer)
    if way == "tls" and not peer.in_tls:
        await peer.start_tls()
    if way == "auth-parameter":
        peer.require("AUTH")
        # Who was authenticated elsewhere, the client says (RFC 4954 §5): it may be anybody.
        return await pass_on(peer, plain(peer), parameters=b" AUTH=" + peer.recipient)
    if way == "after-a-message":
        if not peer.subject.declared.allow.leave_mail or peer.subject.declared.session.login:
            raise NotApplicable("needs leave to deliver mail without a login (allow.leave_mail)")
        peer.must(await peer.deliver(peer.another_message()), to=b"a message before")
    return await pass_on(peer, plain(peer), only_form=False)


@case("relay.refusal-550")
async def the_refusal_is_550(peer: SmtpPeer) -> Judgement:
    """Who does not relay answers 550."""
    await arrive(peer)
    began = await begin(peer)
    if not began.yes:
        raise NotApplicable(f"{began} to MAIL: RCPT is not reached")
    answer = await peer.ask(b"RCPT TO:<" + plain(peer).encode() + b">")
    if answer.yes:
        raise NotApplicable(f"{answer} to RCPT: relay.plain looks into that")
    return answer.expect("550", to="RCPT for somebody outside")


def _nobody(peer: SmtpPeer) -> bytes:
    return b""


def _local(peer: SmtpPeer) -> bytes:
    own_domain(peer)
    return peer.recipient


def _postmaster(peer: SmtpPeer) -> bytes:
    return b"postmaster@" + own_domain(peer).encode()


def _at_literal(peer: SmtpPeer) -> bytes:
    return b"mailproof@" + own_literal(peer).encode()


def _without_domain(peer: SmtpPeer) -> bytes:
    return b"mailproof"


SENDERS: Final[dict[str, Callable[[SmtpPeer], bytes]]] = {
    "null-sender": _nobody,
    "local-sender": _local,
    "postmaster-sender": _postmaster,
    "sender-literal": _at_literal,
    "sender-no-domain": _without_domain,
}


def _register(name: str, sender: Callable[[SmtpPeer], bytes]) -> None:
    """Register the case on one kind of sender."""

    @case(f"relay.{name}")
    async def question(peer: SmtpPeer) -> Judgement:
        """No reverse-path makes the server send on a stranger's mail: anybody can say it."""
        await arrive(peer)
        return await pass_on(peer, plain(peer), sender=sender(peer))


for _name, _sender in SENDERS.items():
    _register(_name, _sender)


@case("relay.after-valid")
async def a_valid_recipient_opens_nothing(peer: SmtpPeer) -> Judgement:
    """After a recipient of the server's own, one outside is refused just the same."""
    await arrive(peer)
    began = await begin(peer)
    if not began.yes:
        return undetermined(f"{began} to MAIL", REFUSED)
    await peer.rcpt()
    answer = await peer.ask(b"RCPT TO:<" + plain(peer).encode() + b">")
    if not answer.yes:
        return refused(answer, "the second RCPT")
    return await _followed(peer, str(answer))


async def _followed(peer: SmtpPeer, taken: str) -> Judgement:
    """Judge what becomes of a message for one of ours and one outside, unless a stranger's goes there anyway."""
    alone = peer.another()
    await arrive(alone)
    if (await begin(alone)).yes and (await alone.ask(b"RCPT TO:<" + plain(peer).encode() + b">")).yes:
        raise NotApplicable("mail for anybody is taken from us: relay.plain looks into that")
    if not peer.subject.declared.allow.leave_mail:
        return undetermined(f"{taken} to RCPT; sending to it needs allow.leave_mail", REFUSED)
    return await follow(peer, taken, Whose.OUTSIDE)


async def _reach_auth(peer: SmtpPeer) -> None:
    await peer.hello()
    if peer.extensions.starttls and "PLAIN" not in peer.extensions.auth:
        await peer.start_tls()
    if "PLAIN" not in peer.extensions.auth:
        raise NotApplicable("AUTH PLAIN is not offered")


@case("relay.after-failed-auth")
async def a_failed_login_opens_nothing(peer: SmtpPeer) -> Judgement:
    """Who gave a wrong password is a stranger."""
    login, _ = peer.login
    await _reach_auth(peer)
    password = peer.token[::-1]        # not what addresses of this case hold: echoing one is no leak of the other
    wrong = b64encode(f"\0{login}\0{password}".encode())
    answer = await peer.ask(b"AUTH PLAIN " + wrong)
    if answer.closed or answer.matches("421"):
        return satisfied(f"{answer} to a wrong password", REFUSED)
    if not (answer.no or answer.later):
        return undetermined(f"{answer} to a wrong password", REFUSED)
    return await pass_on(peer, plain(peer))


@case("relay.after-aborted-auth")
async def a_login_broken_off_opens_nothing(peer: SmtpPeer) -> Judgement:
    """Who began to log in and broke it off is a stranger."""
    await _reach_auth(peer)
    await peer.control(b"AUTH PLAIN", "334")
    answer = await peer.ask(b"*")
    if answer.closed or answer.matches("421"):
        return satisfied(f"{answer} to *", REFUSED)
    if not (answer.no or answer.later):
        return undetermined(f"{answer} to *", REFUSED)
    return await pass_on(peer, plain(peer))


def _own_name(peer: SmtpPeer) -> bytes:
    name = peer.subject.found.greeting[4:].split(b" ", 1)[0].strip()
    if not name:
        raise NotApplicable("the greeting names no host")
    return name


HELLO_NAMES: Final[dict[str, Callable[[SmtpPeer], bytes]]] = {
    "domain": lambda peer: own_domain(peer).encode(),
    "host": _own_name,
    "literal": lambda peer: own_literal(peer).encode(),
    "localhost": lambda peer: b"localhost",
}


@case("relay.helo-local", variants=HELLO_NAMES)
async def the_servers_own_name_opens_nothing(peer: SmtpPeer, name: Callable[[SmtpPeer], bytes]) -> Judgement:
    """Who says EHLO with the server's own name is a stranger still."""
    await peer.greet()
    answer = await peer.ask(b"EHLO " + name(peer))
    return await pass_on(peer, plain(peer)) if answer.yes else refused(answer, "EHLO")
