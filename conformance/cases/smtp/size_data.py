"""SIZE: what is sent, beside what was declared and what is taken at most (RFC 1870 §5, §6)."""

from collections.abc import Callable
from typing import Final

from conformance.answer import SHUTTING_DOWN, Ended
from conformance.case import case
from conformance.cases.smtp.size import SMALL, TOO_BIG_NOW, open_with_size
from conformance.judgement import Judgement, NotApplicable, diverged, observed, satisfied, undetermined, violated
from conformance.peer import END_OF_MAIL_DATA, SmtpPeer
from loadgen.wire.transparency import stuff

LINE: Final = b"x" * 70 + b"\r\n"
MUCH: Final = 40_000                             # within any lawful limit (RFC 5321 §4.5.3.1.7)
ONE_ANSWER: Final = "one answer, to CRLF.CRLF"
COMMANDS: Final = b"RSET\r\nNOOP\r\n" + LINE     # what would be answered if it were not text


async def _begin(peer: SmtpPeer, *parameters: bytes) -> None:
    await peer.mail(*parameters)
    await peer.rcpt()
    await peer.control(b"DATA", "354")


async def _control(peer: SmtpPeer) -> None:
    """See that a small message is taken."""
    await _begin(peer)
    peer.must(await peer.end_of(peer.another_message()), to=b"a small message")


@case("smtp.size.not-terminator", variants={"ten": 10, "in-body": None})
async def a_size_ends_no_message(peer: SmtpPeer, declared: int | None) -> Judgement:
    """Mail data end with CRLF.CRLF, however many octets were declared."""
    await open_with_size(peer)
    body = COMMANDS * 60 + b"last\r\n"
    await _begin(peer, b"SIZE=%d" % (declared or len(peer.message(b"")) + 10))
    await peer.send(stuff(peer.message(body))[: -len(END_OF_MAIL_DATA)])
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", ONE_ANSWER)
    if not early.silent:
        return undetermined(f"{early} before the end", ONE_ANSWER)
    answer = await peer.end_mail_data()
    if answer.reply is None:
        return undetermined(answer, ONE_ANSWER)
    second = await peer.answer_or_silence()
    if second.reply is not None and second.code != SHUTTING_DOWN:
        return violated(f"{answer}, then {second}", ONE_ANSWER)
    if not answer.yes:
        return answer.expect("5yz", to="more than was declared")
    kept = await peer.stored_body()
    whole = kept.rstrip().endswith(b"last") and kept.count(b"NOOP") == body.count(b"NOOP")
    return (satisfied if whole else violated)(f"{answer}; {len(kept)} of {len(body)} octets kept", "the whole message")


@case("smtp.size.underdeclared-ok")
async def what_too_small_a_size_does(peer: SmtpPeer) -> Judgement:
    """Whether more may be sent than was declared is recorded."""
    await open_with_size(peer)
    await _begin(peer, b"SIZE=%d" % SMALL)
    return observed(f"{await peer.end_of(peer.message(LINE * 60))} to more than was declared")


@case("smtp.size.overdeclared-ok")
async def less_may_be_sent(peer: SmtpPeer) -> Judgement:
    """Less may be sent than was declared."""
    await open_with_size(peer)
    await _control(peer)
    await _begin(peer, b"SIZE=%d" % MUCH)
    return (await peer.end_of(peer.message())).expect("2yz", to="less than was declared")


@case("smtp.size.no-late-552")
async def a_true_size_is_not_refused_later(peer: SmtpPeer) -> Judgement:
    """A message whose true size was taken at MAIL is not refused as too big at its end."""
    await open_with_size(peer)
    message = peer.message(LINE * (MUCH // len(LINE)))
    await _begin(peer, b"SIZE=%d" % len(message))
    answer = await peer.end_of(message)
    if answer.matches("552"):
        return violated(f"{answer} to {len(message)} octets, as declared", "no 552")
    return answer.expect("2yz", "5yz", TOO_BIG_NOW, to=f"{len(message)} octets, as declared")


def _of_size(peer: SmtpPeer, octets: int, line: bytes) -> bytes:
    """Return a message of so many octets, made of one line again and again, the last of them shorter."""
    head = peer.message(b"")
    count, rest = divmod(octets - len(head), len(line))
    if 0 < rest < 3:                          # too few for a line of its own: the last but one is made longer
        return head + line * (count - 1) + b"y" * (len(line) - 2 + rest) + b"\r\n" if count else head
    return head + line * count + (b"y" * (rest - 2) + b"\r\n" if rest else b"")


@case("smtp.size.actual-over")
async def too_big_a_message_is_refused(peer: SmtpPeer) -> Judgement:
    """A message above the limit is refused, with an answer, though its size was not declared."""
    await open_with_size(peer)
    limit = _limit_in_force(peer)
    await _control(peer)
    await _begin(peer)
    answer = await peer.end_of(_of_size(peer, limit + 1000, LINE))
    asked = f"{limit + 1000} octets with a limit of {limit}"
    if answer.ended in {Ended.SILENT, Ended.CLOSED}:      # after a reset it may have been said, and lost
        return violated(f"{answer} after {asked}", "552")
    return answer.expect("5yz", TOO_BIG_NOW, to=asked)


def _limit_in_force(peer: SmtpPeer) -> int:
    offered = peer.extensions.size
    limit = peer.low_limit
    if offered and offered > limit:
        raise NotApplicable(f"{limit} was declared as the limit, and {offered} is offered")
    return limit


@case("smtp.size.sync-after-over")
async def what_was_refused_is_not_obeyed(peer: SmtpPeer) -> Judgement:
    """After a message above the limit was refused, the session goes on behind it: its text is no command."""
    await peer.open()
    await _control(peer)
    await _begin(peer)
    refused = await peer.end_of(_of_size(peer, peer.low_limit + 1000, COMMANDS))
    if not (refused.no or refused.later):
        return undetermined(f"{refused} to a message above the limit")
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    if answer.matches("421") or answer.closed:
        return undetermined(f"{refused}, then {answer} to MAIL")
    second = await peer.answer_or_silence()
    if second.reply is not None:
        return violated(f"{refused}, then {answer} and {second} to MAIL alone", "250 to MAIL, and nothing else")
    return answer.expect("2yz", to=f"MAIL after {refused}")


BOUNDARIES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "plain": lambda line: line,
    "stuffed": lambda line: b"." + line[1:],         # a dot before each: on the wire it is larger than the limit
    "short-lines": lambda line: line[-8:],
}


@case("smtp.size.limit-boundary", variants=BOUNDARIES)
async def a_message_of_the_limit_is_taken(peer: SmtpPeer, made_of: Callable[[bytes], bytes]) -> Judgement:
    """A message has as many octets as its lines with CRLF, without the dots added: one of the limit is taken."""
    limit = await open_with_size(peer)
    if limit != _limit_in_force(peer):
        raise NotApplicable("the limit in force is not the one offered")
    await _control(peer)
    await _begin(peer)
    message = _of_size(peer, limit, made_of(LINE))
    assert len(message) == limit
    answer = await peer.end_of(message)
    judged = answer.expect("2yz", to=f"a message of {limit} octets, the limit")
    if not answer.no:
        return judged
    if b"5.2.2" in (answer.reply.octets if answer.reply is not None else b""):
        return undetermined(f"{answer}: the maildrop is full")
    # Some hold their own file of it against the limit, envelope and all, as Postfix says of message_size_limit.
    smaller = limit if made_of(LINE)[:1] == b"." else limit - limit // 10
    await _begin(peer)
    other = await peer.end_of(_of_size(peer, smaller, LINE))
    counts_its_own = other.no if smaller == limit else other.yes
    return diverged(f"{judged.got}; {other} to one of {smaller}", judged.expected) if counts_its_own else judged
