"""Sessions written step by step, against transcripts and against the reference server's own machines."""

import re
from itertools import count

import pytest
import trio
from trio.testing import MockClock

from loadgen.ledger.ledger import Ledger
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.steps import NO_MATCH, SMUGGLED
from tests.session.steps_stage import planned, written
from tests.session.test_cancellation import stage_until
from tests.session.test_reference_server import ACCOUNTS, NAMES, delivery, retrieval, server
from tests.session.theatre import Tls, stage, turns_of

S = 10**9
ENHANCED = r"""
steps = [
    {expect = "220", match = '^(?P<host>\S+) ESMTP (?P<token>[0-9]+)$'},
    {send = "EHLO {hello}", expect = "2yz", match = '(?m)^SIZE (?P<limit>\d+)$'},
    {send = "XTOKEN {capture.token} {capture.limit} {{{k}}}", expect = ["250", "252"]},
    {send = "VRFY {capture.host}", expect = "252", name = "ask-host"},
    {send = "QUIT", expect = "221"},
]
"""
ENHANCED_TURNS = """
S: 220 mail.example.test ESMTP 77
C: EHLO mailproof.invalid
S: 250-mail.example.test
S: 250-SIZE 1000
S: 250 HELP
C: XTOKEN 77 1000 {0}
*: wait 3
S: 250 2.0.0 ok
C: VRFY mail.example.test
S: 252 2.5.0 perhaps
C: QUIT
S: 221 bye
"""


async def test_what_was_captured_is_said_later_and_each_step_is_timed_by_its_name(autojump_clock: MockClock) -> None:
    played = await stage(written(ENHANCED, ENHANCED_TURNS))
    assert played.outcome == ACCEPTED
    assert played.phases == ["connect", "greeting", "ehlo", "xtoken", "ask-host", "quit"]
    took = {name: (ended - began) / S for name, began, ended in played.trace.timings}
    assert took["smtp.xtoken"] == pytest.approx(3)
    assert ("smtp.ask-host", "252", "2.5.0") in played.trace.replies


@pytest.mark.parametrize("octet_by_octet", [False, True])
async def test_it_does_not_matter_how_the_answers_are_cut(octet_by_octet: bool, autojump_clock: MockClock) -> None:
    played = await stage(written(ENHANCED, ENHANCED_TURNS), trickle=octet_by_octet)
    assert (played.outcome, len(played.trace.replies)) == (ACCEPTED, 5)


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        ("554 no", Outcome(OutcomeKind.REFUSED, "smtp.greeting", "the server answered 554", evidence=b"554 no")),
        ("421 busy", Outcome(OutcomeKind.REFUSED, "smtp.greeting", "the server answered 421", evidence=b"421 busy")),
        ("250 hi", Outcome(OutcomeKind.FAILED, "smtp.greeting", "the server answered 250 where 220 was expected",
            evidence=b"hi")),
        ("220 else", Outcome(OutcomeKind.FAILED, "smtp.greeting", NO_MATCH, evidence=b"else")),
        ("hello", Outcome(OutcomeKind.FAILED, "smtp.greeting", "the server answered 000 where 220 was expected",
            evidence=b"hello")),
    ],
)   # fmt: skip
async def test_an_answer_that_is_not_as_expected_ends_the_session_there_and_says_which(
    greeting: str, outcome: Outcome, autojump_clock: MockClock
) -> None:
    played = await stage(written(ENHANCED, f"S: {greeting}"))
    assert played.outcome == outcome
    assert played.phases == ["connect", "greeting"]


@pytest.mark.parametrize("octets", [b"x\rDATA", b"x\nDATA", b"x\0DATA"])
async def test_what_a_server_says_never_becomes_a_command_of_its_own(octets: bytes, autojump_clock: MockClock) -> None:
    session = """protocol = "pop3"
    steps = [{expect = "+OK", match = '(?s)^(?P<x>.*)$'},
        {send = "LIST", expect = "+OK", match = '(?s)(?P<all>.+)'},
        {send = "NOOP {capture.x}{capture.all}", expect = "+OK"}]"""
    play = written(session, "")
    turns = [("S", b"+OK " + octets + b"\r\n")]
    if b"\n" in octets:     # in one line there can be none: in a listing there are
        turns = [("S", b"+OK x\r\n"), ("C", b"LIST\r\n"), ("S", b"+OK\r\nDELE 1\r\nQUIT\r\n.\r\n")]
    played = await stage(play.until(0, *turns))
    assert played.outcome is not None
    assert played.outcome.kind is OutcomeKind.FAILED
    assert played.outcome.cause == SMUGGLED.format("all" if b"\n" in octets else "x")


async def test_octets_beyond_utf8_are_said_back_as_they_came(autojump_clock: MockClock) -> None:
    session = "steps = [{expect = '220', match = '^(?P<x>.+)$'}, {send = 'NOOP {capture.x}', expect = '250'}]"
    turns = [("S", b"220 \xff\xe4\xc3\xa4\r\n"), ("C", b"NOOP \xff\xe4\xc3\xa4\r\n"), ("S", b"250 ok\r\n")]
    assert (await stage(written(session, "").until(0, *turns))).outcome == ACCEPTED


PIPELINED = """
steps = [
    {expect = "220"},
    {send = "MAIL FROM:<{reverse_path}>"}, {send = "RCPT TO:<{recipient}>"}, {send = "DATA", name = "go"},
    {expect = "250"}, {expect = "250", name = "first-rcpt"}, {expect = "354"},
    {send_octets = 'Subject: x\\r\\n\\r\\n.\\xff\\r\\n.\\r\\nNOOP\\r\\n', name = "raw"},
    {expect = "250"}, {expect = "250", name = "raw-noop"},
    {send = "QUIT"},
]
"""


async def test_answers_are_those_to_the_oldest_command_and_timed_from_it(autojump_clock: MockClock) -> None:
    play = written(PIPELINED, "")
    (to,) = play.steps.recipients
    turns = turns_of(f"""S: 220 x
C: MAIL FROM:<load@example.test>
C: RCPT TO:<{to}>
C: DATA
*: wait 1
S: 250 a
*: wait 1
S: 250 b
S: 354 c""")
    raw = (("C", b"Subject: x\r\n\r\n.\xff\r\n.\r\nNOOP\r\n"), *turns_of("S: 250 d\n*: wait 2\nS: 250 e\nC: QUIT"))
    played = await stage(play.until(0, *turns, *raw))
    assert played.outcome == ACCEPTED
    took = [(name, (ended - began) // S) for name, began, ended in played.trace.timings]
    assert took == [
        ("smtp.connect", 0), ("smtp.greeting", 0), ("smtp.mail", 1), ("smtp.first-rcpt", 2), ("smtp.go", 2),
        ("smtp.raw", 0), ("smtp.raw-noop", 2),
    ]  # fmt: skip
    assert (played.trace.messages_offered, played.trace.begun) == (0, []), "octets as they are: nobody's message"


async def test_steps_are_repeated_counted_and_thought_between_as_the_seed_has_it(autojump_clock: MockClock) -> None:
    session = """
    recipients = 2
    steps = [{expect = "220"}, {repeat = {uniform = [2, 4]}, steps = [
        {send = "XSAY {i} {recipient}", expect = "250"}, {think = {exponential = {mean = "3s", max = "9s"}}},
    ]}, {think = "1s"}, {disconnect = "close"}]
    """
    play = written(session, "")
    plan = play.steps
    assert plan.thinks
    turns = []
    says = [move.i for move in plan.moves if move.step.send is not None]
    assert says == list(range(1, len(says) + 1))
    for i in says:
        turns += [("C", f"XSAY {i} {plan.recipients[(i - 1) % 2]}\r\n".encode()), ("S", b"250 ok\r\n")]
    played = await stage(play.until(0, ("S", b"220 x\r\n"), *turns))
    assert played.outcome == ACCEPTED
    assert played.elapsed_s == pytest.approx(sum(move.think_ns for move in plan.moves) / S)
    assert {len(planned(session, arrival=k).moves) for k in range(20)} == {7, 9, 11}
    assert planned(session, arrival=5) == planned(session, arrival=5)


async def test_a_server_may_close_where_the_steps_say_so(autojump_clock: MockClock) -> None:
    session = 'steps = [{expect = "220"}, {send = "NOOP", expect = ["250", "closed"]}, {send = "QUIT", expect = "221"}]'
    played = await stage(written(session, "S: 220 x\nC: NOOP\n*: close"))
    assert played.outcome == ACCEPTED
    assert played.trace.replies[-1] == ("smtp.noop", "closed", None)
    played = await stage(written(session, "S: 220 x\nC: NOOP\nS: 250 ok\nC: QUIT\n*: close"))
    assert played.outcome is not None
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, "smtp.quit")


@pytest.mark.parametrize(
    ("step", "elapsed_s"),
    [
        ("send = 'XSAY', expect = '250'", 2048),                       # as noop
        ("send = 'MAIL', expect = '250'", 32),
        ("send = 'MAIL', expect = '250', timeout = '3s'", 3),
    ],
)
async def test_silence_times_out_in_the_step_it_met(step: str, elapsed_s: float, autojump_clock: MockClock) -> None:
    play = written(f"steps = [{{expect = '220'}}, {{{step}}}]", "S: 220 x\n*: deaf")
    played = await stage(play)
    assert played.outcome is not None
    verb = step.partition("'")[2].partition("'")[0].lower()
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.TIMED_OUT, f"smtp.{verb}")
    assert played.elapsed_s == pytest.approx(elapsed_s)


async def test_octets_that_came_behind_the_go_ahead_of_starttls_are_not_read_as_if_they_were_safe(
    tls: Tls, autojump_clock: MockClock
) -> None:
    session = 'steps = [{expect = "220"}, {starttls = true}, {send = "NOOP", expect = "250"}]'
    turns = "S: 220 x\nC: STARTTLS\nS: 220 go\nS: 250 injected"
    played = await stage(written(session, turns, tls="starttls", starttls="yes"), tls=tls)
    assert played.outcome is not None
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, "smtp.tls")
    assert played.outcome.evidence == b"250 injected\r\n"


async def test_a_starttls_that_is_refused_is_a_refusal(tls: Tls, autojump_clock: MockClock) -> None:
    session = 'steps = [{expect = "220"}, {starttls = true}]'
    played = await stage(written(session, "S: 220 x\nC: STARTTLS\nS: 454 later", tls="starttls", starttls="y"), tls=tls)
    assert played.outcome == Outcome(OutcomeKind.REFUSED, "smtp.tls", "the server answered 454", evidence=b"454 later")


async def test_wherever_it_is_cancelled_the_trace_keeps_what_was_said(tls: Tls, autojump_clock: MockClock) -> None:
    play = written(ENHANCED, ENHANCED_TURNS)
    whole = await stage(play)
    for k in count():
        played, over = await stage_until(play, k, tls)
        assert played.trace.replies == whole.trace.replies[: len(played.trace.replies)]
        assert len(played.trace.replies) == len(re.findall(rb"^\d{3} .*\r\n", played.received, re.MULTILINE))
        if over:
            break
    assert k > 10


SUBMIT = """
protocol = "PROTOCOL"
size = "3 KiB"
recipients = 3
steps = [
    {expect = "220"},
    {send = "HELLO {hello}", expect = "250"},
    SECURE
    {send = "AUTH PLAIN {base64.plain}", expect = "235"},
    {repeat = 2, steps = [
        {send = "MAIL FROM:<{reverse_path}>", expect = "250"},
        {send = "RCPT TO:<user1@example.test>", expect = "250"},
        {send = "rcpt to:<user2@example.test>", expect = "250"},
        {send = "RCPT TO: <user3@example.test>", expect = ["250", "501"], name = "lax"},
        {send = "DATA", expect = "354"},
        {send_message = true, expect = "250"},
    ]},
    {send = "QUIT", expect = "221"},
]
"""


def submission(protocol: str, *, secured: bool = False) -> str:
    hello = "LHLO" if protocol == "lmtp" else "EHLO"
    secure = '{starttls = true}, {send = "HELLO {hello}", expect = "250", name = "again"},' if secured else ""
    return SUBMIT.replace("PROTOCOL", protocol).replace("SECURE", secure).replace("HELLO", hello)


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
@pytest.mark.parametrize("tls_mode", ["none", "starttls"])
async def test_messages_of_steps_are_found_by_the_ledger_once_and_unchanged(
    protocol: str, tls_mode: str, tls: Tls, autojump_clock: MockClock
) -> None:
    ledger = Ledger("c0ffee00")
    plan = planned(submission(protocol, secured=tls_mode == "starttls"), tls=tls_mode)
    async with server(tls) as target:
        outcome, trace = await target.run(plan, tls_mode)
        assert outcome == ACCEPTED
        assert (trace.messages_offered, trace.messages_refused, trace.messages_accepted) == (2, 0, 2)
        bodies = [phase for phase, _, _ in trace.replies if phase == f"{protocol}.body"]
        assert len(bodies) == (4 if protocol == "lmtp" else 2)
        ledger.add(trace)
        for account in ACCOUNTS:
            _, trace = await target.run(retrieval(account, delete=True), tls_mode)
            ledger.add(trace)
    books = ledger.result(NAMES)
    assert (books.accepted, books.delivered_once, books.ambiguous) == (4, 4, 0)


async def test_a_message_for_recipients_that_were_refused_is_nobodys(tls: Tls, autojump_clock: MockClock) -> None:
    session = """
    steps = [{expect = "220"}, {send = "EHLO x", expect = "250"}, {send = "MAIL FROM:<>", expect = "250"},
        {send = "RCPT TO:<nobody@example.test>", expect = "550"}, {send = "DATA", expect = "503"},
        {send = "RCPT TO:<user1@example.test>", expect = "250"}, {send = "RSET", expect = "250"},
        {send = "MAIL FROM:<>", expect = "250"}, {send = "RCPT TO:<user2@example.test>", expect = "250"},
        {send = "DATA", expect = "354"}, {send_message = true, expect = "250"}]
    """
    async with server(tls) as target:
        outcome, trace = await target.run(planned(session))
    assert outcome == ACCEPTED
    assert [offered.recipients for offered in trace.begun] == [("user2@example.test",)]


EMPTYING = """
protocol = "pop3"
steps = [
    {expect = "+OK"},
    {send = "CAPA", expect = "+OK", match = '(?m)^(?P<uidl>UIDL)$'},
    {send = "USER {account.login}", expect = "+OK"},
    {send = "PASS {account.password}", expect = "+OK"},
    {send = "STAT", expect = "+OK", match = '^(?P<count>\\d+) '},
    {send = "{capture.uidl}", name = "uidl", expect = "+OK", multi_line = true},
    {repeat = 2, steps = [
        {send = "LIST {i}", expect = "+OK"},
        {send = "RETR {i}", expect = "+OK", match = 'Message (?P<id>[0-9a-f]{8}\\.0\\.\\d)'},
        {send = "DELE {i}", expect = "+OK"},
    ]},
    {send = "DELE 1", expect = "-ERR", name = "dele-again"},
    {send = "QUIT", expect = "+OK"},
]
"""


async def test_a_maildrop_is_emptied_by_steps_and_the_ledger_is_told(tls: Tls, autojump_clock: MockClock) -> None:
    ledger = Ledger("c0ffee00")
    plan = planned(EMPTYING)
    async with server(tls) as target:
        _, trace = await target.run(delivery(recipients=(plan.account.address,), sizes=(2000, 3000)))
        ledger.add(trace)
        outcome, trace = await target.run(plan)
        assert outcome == ACCEPTED
        ledger.add(trace)
        _, left = await target.run(retrieval(next(a for a in ACCOUNTS if a.address == plan.account.address)))
        assert left.retrieved == []
    assert all(each.unique_id is not None for each in trace.retrieved)
    books = ledger.result([plan.account.address])
    assert (books.accepted, books.delivered_once, ledger.copies_untold) == (2, 2, False)
    assert ("pop3.dele-again", "-ERR", None) in trace.replies


async def test_a_reset_ends_the_session_at_once(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        outcome, trace = await target.run(planned('steps = [{expect = "220"}, {disconnect = "reset"}]'))
    assert outcome == ACCEPTED
    assert trio.current_time() == 0
    assert [name for name, _, _ in trace.timings] == ["smtp.connect", "smtp.greeting"]
