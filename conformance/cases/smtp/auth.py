"""AUTH: how an exchange begins, goes wrong and ends (RFC 4954 §4), with PLAIN (RFC 4616)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import NOT_NOW, begin, judge_refusal, plain_message, ready_for
from conformance.judgement import Judgement, Undetermined, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

MECHANISM: Final = re.compile(r"[A-Z0-9_-]{1,20}")           # RFC 4422 §3.1


async def _ready(peer: SmtpPeer) -> None:
    """Come to where AUTH PLAIN may be said."""
    await ready_for(peer, "PLAIN")


def _right(peer: SmtpPeer) -> bytes:
    return plain_message(*peer.login)


def _logs_in(answer: Answer, to: str) -> Judgement:
    """Judge the answer to the right login."""
    return undetermined(f"{answer} to {to}") if answer.matches(*NOT_NOW) else answer.expect("235", to=to)


async def _log_in(peer: SmtpPeer) -> None:
    await _ready(peer)
    await peer.control(b"AUTH PLAIN " + _right(peer), "235")


@case("smtp.auth.keyword-form")
async def mechanisms_are_named_in_form(peer: SmtpPeer) -> Judgement:
    """The mechanisms offered have names of the lawful form."""
    await peer.hello()
    peer.require("AUTH")
    odd = [name for name in peer.extensions.keywords["AUTH"] if not MECHANISM.fullmatch(name)]
    return violated(" ".join(odd), "names of letters, digits, - and _") if odd else satisfied("all in form")


@case("smtp.auth.unknown-mech")
async def an_unknown_mechanism_is_refused(peer: SmtpPeer) -> Judgement:
    """A mechanism that nobody knows is refused."""
    await peer.hello()
    peer.require("AUTH")
    return (await peer.ask(b"AUTH X-NONE")).expect("5yz", to="AUTH X-NONE")


@case("smtp.auth.no-mech")
async def auth_needs_a_mechanism(peer: SmtpPeer) -> Judgement:
    """AUTH without a mechanism is refused."""
    await peer.hello()
    peer.require("AUTH")
    return (await peer.ask(b"AUTH")).expect("5yz", to="AUTH alone")


@case("smtp.auth.before-ehlo")
async def auth_before_hello(peer: SmtpPeer) -> Judgement:
    """AUTH before EHLO is refused."""
    await peer.greet()
    answer = await peer.ask(b"AUTH PLAIN " + plain_message("nobody", "nothing"))
    return violated(answer, "5yz") if answer.matches("235") else answer.expect("5yz", lawful=("334",), to="AUTH")


@case("smtp.auth.helo-session")
async def auth_after_helo(peer: SmtpPeer) -> Judgement:
    """What AUTH is answered after HELO is recorded."""
    await peer.greet()
    await peer.helo()
    return observed(await peer.ask(b"AUTH PLAIN"))


@case("smtp.auth.mech-case")
async def the_case_of_a_mechanism_is_of_no_account(peer: SmtpPeer) -> Judgement:
    """A mechanism is known in lower case as well."""
    await _log_in(peer.another())
    await _ready(peer)
    return _logs_in(await peer.ask(b"auth plain " + _right(peer)), "auth plain")


@case("smtp.auth.initial-response")
async def the_response_may_come_at_once(peer: SmtpPeer) -> Judgement:
    """AUTH PLAIN takes its response in the command."""
    await _ready(peer)
    return _logs_in(await peer.ask(b"AUTH PLAIN " + _right(peer)), "AUTH PLAIN with a response")


@case("smtp.auth.no-initial-response")
async def the_response_may_come_later(peer: SmtpPeer) -> Judgement:
    """AUTH PLAIN without a response asks for it."""
    await _ready(peer)
    asked = await peer.ask(b"AUTH PLAIN")
    if not asked.go_on:
        return asked.expect("334", to="AUTH PLAIN")
    return _logs_in(await peer.ask(_right(peer)), "the response")


@case("smtp.auth.empty-challenge")
async def an_empty_challenge_is_empty(peer: SmtpPeer) -> Judgement:
    """The challenge of PLAIN is empty: 334, a space, and nothing more."""
    await _ready(peer)
    reply = await peer.control(b"AUTH PLAIN", "334")
    return satisfied(reply.octets) if reply.octets == b"334 \r\n" else violated(reply.octets, "334, a space, CRLF")


@case("smtp.auth.cancel")
async def a_star_cancels(peer: SmtpPeer) -> Judgement:
    """A lone * cancels the exchange: 501, and the session goes on."""
    await begin(peer)
    answer = await peer.ask(b"*")
    if not answer.matches("501"):
        return answer.expect("501", to="*")
    return (await peer.still_there()).expect_open(to="NOOP after *")


@case("smtp.auth.cancel-keeps-session")
async def one_may_try_again_after_a_cancel(peer: SmtpPeer) -> Judgement:
    """After a cancelled exchange AUTH may be said again."""
    await _log_in(peer.another())
    await begin(peer)
    peer.must(await peer.ask(b"*"), "5yz", to=b"*")
    return _logs_in(await peer.ask(b"AUTH PLAIN " + _right(peer)), "AUTH after a cancel")


BAD_BASE64: Final = {"no-alphabet": b"!!!!", "leftover": b"AGFiY", "pad-first": b"=AAA", "pad-within": b"AAA=BBB="}


@case("smtp.auth.bad-base64", variants={name: BAD_BASE64[name] for name in ("no-alphabet", "leftover")})
async def a_response_must_be_base64(peer: SmtpPeer, response: bytes) -> Judgement:
    """A response that is not base64 is refused with 501."""
    await begin(peer)
    return (await peer.ask(response)).expect("501", lawful=("5yz",), to="a response that is no base64")


@case("smtp.auth.pad-in-middle", variants={name: BAD_BASE64[name] for name in ("pad-first", "pad-within")})
async def padding_stands_at_the_end(peer: SmtpPeer, response: bytes) -> Judgement:
    """A response with = anywhere but at its end is refused with 501."""
    await begin(peer)
    return (await peer.ask(response)).expect("501", lawful=("5yz",), to="a response with = within")


@case("smtp.auth.bad-ir-base64")
async def an_initial_response_must_be_base64(peer: SmtpPeer) -> Judgement:
    """An initial response that is not base64 is refused with 501."""
    await _ready(peer)
    return (await peer.ask(b"AUTH PLAIN !!!!")).expect("501", lawful=("5yz",), to="AUTH PLAIN !!!!")


@case("smtp.auth.extra-args")
async def nothing_stands_behind_the_response(peer: SmtpPeer) -> Judgement:
    """AUTH with something behind the initial response is refused."""
    await _log_in(peer.another())
    await _ready(peer)
    return judge_refusal(await peer.ask(b"AUTH PLAIN " + _right(peer) + b" extra"), "AUTH PLAIN with one word more")


@case("smtp.auth.second")
async def there_is_one_login(peer: SmtpPeer) -> Judgement:
    """AUTH after a login is refused with 503."""
    await _log_in(peer)
    return (await peer.ask(b"AUTH PLAIN")).expect("503", lawful=("5yz",), to="AUTH after a login")


@case("smtp.auth.second-after-ehlo")
async def there_is_one_login_after_ehlo_too(peer: SmtpPeer) -> Judgement:
    """AUTH after a login and EHLO is refused with 503."""
    await _log_in(peer)
    await peer.ehlo()
    return (await peer.ask(b"AUTH PLAIN")).expect("503", lawful=("5yz",), to="AUTH after a login and EHLO")


@case("smtp.auth.in-transaction")
async def no_login_in_a_transaction(peer: SmtpPeer) -> Judgement:
    """AUTH in a transaction is refused with 503."""
    await _ready(peer)
    await peer.mail()
    return (await peer.ask(b"AUTH PLAIN")).expect("503", lawful=("5yz",), to="AUTH after MAIL")


@case("smtp.auth.after-rset")
async def a_login_after_a_transaction(peer: SmtpPeer) -> Judgement:
    """AUTH works once a transaction was aborted."""
    await _log_in(peer.another())
    await _ready(peer)
    await peer.mail()
    await peer.control(b"RSET")
    return _logs_in(await peer.ask(b"AUTH PLAIN " + _right(peer)), "AUTH after MAIL and RSET")


WRONG: Final = {"wrong": "wrong-{}", "empty": "", "longer": "{}x"}


@case("smtp.auth.really-checks", variants=WRONG)
async def passwords_are_checked(peer: SmtpPeer, wrong: str) -> Judgement:
    """A wrong password lets nobody in."""
    login, password = peer.login
    await _ready(peer)
    message = plain_message(login, wrong.format(password))
    return judge_refusal(await peer.ask(b"AUTH PLAIN " + message), "a wrong password")


@case("smtp.auth.bad-password")
async def a_wrong_password_is_answered_535(peer: SmtpPeer) -> Judgement:
    """A wrong password is answered 535."""
    login, password = peer.login
    await _ready(peer)
    return (await peer.ask(b"AUTH PLAIN " + plain_message(login, f"{password}x"))).expect("535", to="a wrong password")


@case("smtp.auth.retry-after-failure")
async def one_may_try_again(peer: SmtpPeer) -> Judgement:
    """After a wrong password the right one lets in."""
    login, password = peer.login
    await _log_in(peer.another())
    await _ready(peer)
    peer.must(await peer.ask(b"AUTH PLAIN " + plain_message(login, f"{password}x")), "5yz", to=b"a wrong password")
    return _logs_in(await peer.ask(b"AUTH PLAIN " + _right(peer)), "the right password")


@case("smtp.auth.user-enum-reply")
async def nobody_learns_who_exists(peer: SmtpPeer) -> Judgement:
    """An unknown user and a wrong password are answered alike."""
    login, password = peer.login
    await _ready(peer)
    wrong = await peer.ask(b"AUTH PLAIN " + plain_message(login, f"{password}x"))
    stranger = peer.another()        # a session may end at the second failure
    await _ready(stranger)
    unknown = await stranger.ask(b"AUTH PLAIN " + plain_message(f"nobody-{peer.token}", password))
    if any(answer.reply is None or answer.later for answer in (wrong, unknown)):      # 4yz: it cannot just now
        raise Undetermined(f"{wrong}; {unknown}")
    got = f"{wrong} to a wrong password, {unknown} to an unknown user"
    return satisfied(got) if str(wrong) == str(unknown) else violated(got, "the same answer")


@case("smtp.auth.command-in-exchange", variants={"rset": b"RSET", "quit": b"QUIT"})
async def commands_are_not_run_in_an_exchange(peer: SmtpPeer, command: bytes) -> Judgement:
    """A command in place of a response is a response."""
    await begin(peer)
    return (await peer.ask(command)).expect("5yz", to=f"{command.decode()} as a response")


@case("smtp.auth.empty-response")
async def an_empty_response_lets_nobody_in(peer: SmtpPeer) -> Judgement:
    """An empty response to PLAIN is refused."""
    await begin(peer)
    return judge_refusal(await peer.ask(b""), "an empty response")
