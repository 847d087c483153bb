"""AUTH in POP3: how long its lines may be, what is no command among them, and what comes afterwards (RFC 5034 §4)."""

from base64 import b64encode
from typing import Final

from conformance.case import case
from conformance.cases.pop3.offers import offered
from conformance.cases.pop3.sasl_exchange import (
    answers_to,
    begin,
    begin_any,
    ends_after_failure,
    fail_to_log_in,
    judge_refusal,
    plain_message,
    ready_for,
    some_mechanism,
)
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

HUGE: Final = 1_000_000
LINE: Final = 255                        # of a command, with its CRLF (RFC 2449 §4)
# RFC 4616 §2 with three fields of 255 octets: the longest message that PLAIN has.
LONGEST_PLAIN: Final = b64encode(b"a" * 255 + b"\0" + b"b" * 255 + b"\0" + b"c" * 255)


def _long_plain(octets: int) -> bytes:
    """Return a message of PLAIN for nobody, in so many octets of base64."""
    return b64encode(b"mailproof-nobody\0mailproof-nobody\0".ljust(octets // 4 * 3, b"p"))      # no pads, wherever cut


def _judge_one_refusal(answers: list[Pop3Answer], to: str, *, hangs_up: bool) -> Judgement:
    """Judge what a login that is too long, and wrong, was answered: one refusal."""
    got = f"{', '.join(str(answer) for answer in answers)} to {to}"
    spoken = [answer for answer in answers if answer.response is not None]
    if len(spoken) > 1:
        return violated(got, "one answer")
    if spoken:
        return satisfied(got) if spoken[0].err else spoken[0].expect("-ERR", to=to)
    if not answers[0].closed:
        return undetermined(got)
    return declined(got, "-ERR") if hangs_up else violated(got, "-ERR")


@case("pop3.sasl.ir-255", variants={"256": LINE + 1, "600": 600, "3000": 3000})
async def what_is_too_long_is_one_line(peer: Pop3Peer, octets: int) -> Judgement:
    """AUTH with an initial response beyond 255 octets gets one answer: its rest is no command."""
    await begin(peer.another())
    await ready_for(peer, "PLAIN")
    begun = b"AUTH PLAIN "
    response = _long_plain(octets)[: -(-(octets - len(begun) - 2) // 4) * 4]
    answers = await answers_to(peer, begun + response)
    return _judge_one_refusal(answers, f"AUTH PLAIN of {len(begun + response) + 2} octets", hangs_up=True)


@case("pop3.sasl.long-response", variants={"1024": LONGEST_PLAIN, "4096": _long_plain(4096), "8192": _long_plain(8192)})
async def a_long_response_is_one_line(peer: Pop3Peer, response: bytes) -> Judgement:
    """A response of several KiB is refused as any wrong one is, and its rest is no command."""
    await begin(peer)
    answers = await answers_to(peer, response)
    hangs_up = answers[0].closed and (len(response) > len(LONGEST_PLAIN) or await ends_after_failure(peer))
    return _judge_one_refusal(answers, f"a response of {len(response)} octets", hangs_up=hangs_up)


@case("pop3.sasl.huge-invalid", variants={"noise": b"!" * HUGE, "base64": b"A" * HUGE})
async def a_huge_response_does_no_harm(peer: Pop3Peer, response: bytes) -> Judgement:
    """A response of a million octets is refused, or ends the connection, and the server is still there."""
    await begin_any(peer)
    answer = await peer.ask(response)
    other = await peer.another().answer()
    got = f"{answer} to a million octets, then {other} to a new connection"
    if not other.ok:
        return violated(got, "a greeting") if other.closed else undetermined(got)
    return satisfied(got) if answer.err or answer.closed else violated(got, "-ERR or a close")


COMMANDS: Final = {"quit": b"QUIT", "capa": b"CAPA", "unknown": b"NOOP", "auth": b"AUTH PLAIN"}


@case("pop3.sasl.command-in-exchange", variants=COMMANDS)
async def a_command_is_no_response(peer: Pop3Peer, command: bytes) -> Judgement:
    """A command in place of a response is refused, and not run."""
    await begin_any(peer)
    answer = await peer.ask(command, multi_line=False)
    return judge_refusal(answer, f"{command.decode()} in place of a response")


# Afterwards.


@case("pop3.sasl.second", variants={"same": False, "with-response": True})
async def nobody_logs_in_twice(peer: Pop3Peer, at_once: bool) -> Judgement:
    """AUTH after a successful AUTH is refused."""
    mechanism = await some_mechanism(peer)
    await peer.log_in(mechanism)
    again = b"AUTH " + mechanism.encode()
    if at_once:
        again = b"AUTH PLAIN " + plain_message(*await peer.login())
    return (await peer.ask(again)).expect("-ERR", to="AUTH after a successful AUTH")


AFTER: Final = {"user": "USER", "auth": "AUTH"}


@case("pop3.sasl.fail-no-effect", variants=AFTER)
async def a_failure_changes_nothing(peer: Pop3Peer, way: str) -> Judgement:
    """After an AUTH that failed the right login is taken in the same session."""
    mechanism = await some_mechanism(peer)
    way = mechanism if way == "AUTH" else way
    control = peer.another()
    if peer.in_tls and not control.in_tls:
        await ready_for(control, mechanism)
    if not (right := await control.try_log_in(way)).ok:
        raise NotApplicable(f"{right} to a right login by {way}")
    await control.quit()
    login, _ = await peer.login()
    failure = await fail_to_log_in(peer, mechanism, login)
    if not failure.last.err:
        raise Undetermined(f"{failure.last} to a wrong password")
    answer = await peer.try_log_in(way)
    got = f"{answer} to the right login by {way} after a wrong one by {mechanism}"
    if answer.closed:
        return declined(got, "+OK")              # a site may hang up on a wrong password
    if answer.response is None or answer.not_now:
        return undetermined(got)
    return satisfied(got) if answer.ok else violated(got, "+OK")


@case("pop3.sasl.fail-no-effect", variants={"state": "", "state-after-cancel": "*"})
async def a_failure_opens_nothing(peer: Pop3Peer, cancelled: str) -> Judgement:
    """After an AUTH that failed, or was cancelled, nobody is logged in."""
    mechanism = await some_mechanism(peer)
    if cancelled:
        await begin(peer, mechanism)
        failed = await peer.ask(b"*")
    else:
        failed = (await fail_to_log_in(peer, mechanism, (await peer.login())[0])).last
    if not failed.err:
        raise Undetermined(f"{failed} to an AUTH that must fail")
    answer = await peer.ask(b"STAT")
    return satisfied(f"{answer} to STAT") if answer.closed else answer.expect("-ERR", to="STAT after a failed AUTH")


@case("pop3.sasl.tag-after-auth")
async def mechanisms_are_listed_for_ever(peer: Pop3Peer) -> Judgement:
    """SASL is still listed after a successful AUTH."""
    mechanism = await some_mechanism(peer)
    before = await offered(peer)
    if "SASL" not in before:
        raise NotApplicable("SASL is not listed here")
    await peer.log_in(mechanism)
    listed = "SASL" in await offered(peer)
    return satisfied("SASL is listed") if listed else violated("SASL is not listed", "still listed")
