"""Sessions written step by step: what cannot be done is told before anything is sent, all of it at once."""

import tomllib
from pathlib import Path

import pytest

from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.resolve import resolved
from loadgen.scenario.steps import StepsSession
from loadgen.scenario.template import filled_octets

HEAD = """
[scenario]
name = "x"
[load]
model = "closed"
virtual_users = 1
sessions = 1
"""


def loaded(session: str, rest: str = "") -> Scenario:
    text = f'{HEAD}\n{rest}\n[[session]]\nkind = "steps"\n{session}'
    return scenario_from(tomllib.loads(text), name="x", directory=Path("/nowhere"), environ={})


def problems(session: str, rest: str = "") -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(session, rest)
    return [str(problem).removeprefix("session[0].") for problem in caught.value.problems]


def steps(*lines: str, protocol: str = "smtp") -> str:
    return f'protocol = "{protocol}"\nsteps = [\n' + "".join(f"    {{{line}}},\n" for line in lines) + "]\n"


GREET = 'expect = "220"'
OK = 'expect = "+OK"'
STARTTLS = '[target]\nsmtp = "embedded"\npop3 = "embedded"\ntls = "starttls"'
VERIFIED = "[ledger]\nverify = true"

MEANT = [
    # the steps of an SMTP session, and the one sentence they get
    (["think = '1s', send = 'NOOP'"], "steps[0]: says send and think: a step does one thing"),
    (["timeout = '1s'"],
        "steps[0]: does nothing; say one of send, send_octets, send_message, think, starttls, disconnect, expect, "
        "repeat | steps[0].timeout: no answer is waited for, as there is no expect"),
    (["send = 'NOOP', name = 'Noop 1'"],
        'steps[0].name: got "Noop 1", expected lower-case letters, digits and hyphens, at most 40'),
    (["send = 'NOOP', name = 'session'"],
        "steps[0].name: session is timed for every session, from the instant it was due; give the step another name"),
    (["think = '1s', name = 'a'"],
        "steps[0].name: think has neither a time nor an answer to be reported under it; leave it out"),
    (["send = '{account.login}'"],
        "steps[0].name: the command's first word is no name for the step; say name = \"…\""),
    (["send_octets = 'NOOP'"], "steps[0].name: octets have no first word to be named after; say name = \"…\""),
    (['send = "NOOP\\r\\nQUIT"'],
        "steps[0].send: is one command, and holds a CR, LF or NUL; send_octets sends whatever is written"),
    (["send = 'NOOP {'"], "steps[0].send: a lone {: write {{ for a brace itself"),
    (["send = 'NOOP }x'"], "steps[0].send: a lone }: write }} for a brace itself"),
    (["send = 'MAIL FROM:<{reverse-path}>'"],
        "steps[0].send: nothing fills {reverse-path}; did you mean `reverse_path`?"),
    (["send = 'NOOP {zzz}'"],
        "steps[0].send: nothing fills {zzz}; there are {account.address}, {account.login}, {account.password}, "
        "{base64.login}, {base64.password}, {base64.plain}, {recipient}, {reverse_path}, {hello}, {k}"),
    (["send = 'NOOP {i}'"], "steps[0].send: {i} counts repetitions, and nothing is repeated here"),
    ([r"send_octets = '\q', name = 'x'"],
        r'steps[0].send_octets: "\q" is no escape; there are \r \n \t \0 \\ and \xHH'),
    (["send_octets = '', name = 'x'"], 'steps[0].send_octets: got "", expected at least one octet'),
    (["expect = []"], "steps[0].expect: got [], expected at least one answer"),
    (["expect = '2xx'"],
        'steps[0].expect: got "2xx", expected a reply code such as "250", a class such as "2yz", or "closed"; '
        "did you mean `2yz`?"),
    (["expect = ['220', '+OK']"],
        'steps[0].expect: got "+OK", expected a reply code such as "250", a class such as "2yz", or "closed"'),
    (["expect = '620'"],
        'steps[0].expect: got "620", expected a reply code such as "250", a class such as "2yz", or "closed"'),
    (["expect = '220', match = '(?P<a'"],
        'steps[0].match: "(?P<a" is no regular expression: missing >, unterminated name at position 4'),
    (["send = 'NOOP', match = 'x'"], "steps[0].match: no answer is read, as there is no expect"),
    (["think = '1s', expect = '220'"], "steps[0].expect: stands beside think; expect goes with a send, or alone"),
    (["expect = '220', timeout = '0s'"], 'steps[0].timeout: got "0s", expected more than zero'),
    (["expect = '220', multi_line = true"],
        "steps[0].multi_line: is POP3; a reply of SMTP tells itself whether lines follow"),
    (["send = 'EHLO x', expect = '250'"],
        "steps[0]: would take the answer to the greeting for its own; expect that one first"),
    ([GREET, "send = 'NOOP'", "send = 'RSET', expect = '250'"],
        "steps[2]: would take the answer to session[0].steps[1] for its own; expect that one first"),
    ([GREET, "expect = '250'"], "steps[1].expect: nothing is owed: every answer before it has been read"),
    ([GREET, "send = 'RCPT TO:<{capture.who}>', expect = '250'", "send = 'NOOP', expect = '250', match = '(?P<who>.)'"],
        "steps[1].send: {capture.who} is made only by session[0].steps[2]"),
    (["expect = '220', match = '(?P<who>.)'", "send = 'NOOP {capture.woh}'"],
        'steps[1].send: no match makes "woh"; did you mean `who`?'),
    ([GREET, "send = 'NOOP {capture.x}'"],
        "steps[1].send: no match makes \"x\"; (?P<x>…) in an earlier step's match would"),
    ([GREET, "send_message = true", "send_message = true"],
        "steps[2]: the message of session[0].steps[1] has no answer yet: the ledger could not tell one from the other; "
        "expect that one first"),
    (["disconnect = 'reset'", "think = '1s'"],
        "steps[1]: comes after the end of the connection, which is session[0].steps[0]"),
    (["expect = 'closed'", "send = 'NOOP'"],
        "steps[1]: comes after the end of the connection, which is session[0].steps[0]"),
    ([GREET, "starttls = true"],
        'steps[1].starttls: the target has no TLS that begins inside the session; say target.tls = "starttls"'),
    (["steps = [{send = 'NOOP'}]"], "steps[0]: has steps, and no repeat to say how often they are done | "
        "steps[0]: each time it leaves 1 unread of the answers it is owed"),
    ([GREET, "repeat = 3"], "steps[1].repeat: there is nothing to repeat; write steps = [{send = …}] beside it"),
    ([GREET, "repeat = 0, steps = [{send = 'NOOP', expect = '250'}]"],
        "steps[1].repeat: got 0, expected numbers of at least 1"),
    ([GREET, "repeat = 3, think = '1s', steps = [{send = 'NOOP', expect = '250'}]"],
        "steps[1]: repeats, and so it does nothing else: put the rest into its steps"),
    ([GREET, "repeat = 3, steps = [{send = 'NOOP'}]"],
        "steps[1]: each time it leaves 1 unread of the answers it is owed"),
    (["repeat = 3, steps = [{expect = '220'}]"],
        "steps[0]: each time it reads 1 more than there are of the answers it is owed"),
    ([GREET, "repeat = 3, steps = [{disconnect = 'close'}]"],
        "steps[1]: cannot be repeated: session[0].steps[1].steps[0] ends the connection"),
    ([GREET, "repeat = 100001, steps = [{send = 'NOOP', expect = '250'}]"],
        "steps: are 100,002 with every repeat, more than 100,000"),
]   # fmt: skip


@pytest.mark.parametrize(("lines", "sentence"), MEANT)
def test_steps_that_cannot_be_done_get_their_sentence(lines: list[str], sentence: str) -> None:
    assert " | ".join(problems(steps(*lines))) == sentence


POP3 = [
    ([OK, "send = 'RCPT TO:<{recipient}>'"], "",
        "steps[1].send: nothing fills {recipient}; there are {account.address}"),
    (["send_message = true"], "", "steps[0].send_message: POP3 sends no mail"),
    (["expect = '+ok'"], "",
        'steps[0].expect: got "+ok", expected "+OK", "-ERR", "+" or "closed"; did you mean `+OK`?'),
    ([OK, "send = 'PASS {account.password}'", "starttls = true"], STARTTLS,
        'steps[1].send: {account.password} would go in clear text: the target says tls = "starttls", and no step'),
    ([OK, "starttls = true", "starttls = true"], STARTTLS, "steps[2].starttls: TLS is on already (RFC 3207 §4.2)"),
    ([OK, "send = 'RETR 1', expect = '+OK'"], VERIFIED,
        "steps[1].send: with ledger.verify = true, UIDL comes before RETR"),
    ([OK, "send = 'DELE 1', expect = '+OK'"], VERIFIED,
        "steps[1].send: with ledger.verify = true, RETR comes before DELE"),
]   # fmt: skip


@pytest.mark.parametrize(("lines", "rest", "sentence"), POP3)
def test_steps_in_pop3_get_their_sentence(lines: list[str], rest: str, sentence: str) -> None:
    others = '[[session]]\nkind = "smtp-deliver"\n'
    said = [each for each in problems(f"{steps(*lines, protocol='pop3')}{others}", rest) if "target" not in each[:7]]
    assert said[0].startswith(sentence)


def test_everything_wrong_with_a_session_is_told_at_once() -> None:
    said = problems(steps(
        "expect = '2xx', match = '['", "send = 'HELO {helo}', expect = '250'", "expect = '250'",
        "disconnect = 'close'", "send = 'QUIT {capture.x}'",
    ))  # fmt: skip
    assert [each.partition(": ")[0] for each in said] == [
        "steps[0].expect", "steps[0].match", "steps[1].send", "steps[2].expect", "steps[4]",
    ]  # fmt: skip


def test_a_slip_in_a_step_s_key_finds_its_neighbour() -> None:
    assert problems(steps("expekt = '220'")) == ["steps[0].expekt: unknown key; did you mean `expect`?"]


def test_gates_know_the_steps_by_name() -> None:
    gate = '[[gate]]\nmetric = "smtp.{}.response"\npercentile = 99\nbelow = "1s"\n'
    session = steps(GREET, "send = 'XCLIENT a', expect = '220'", "send = 'NOOP', expect = '250', name = 'first-noop'")
    for name in ("xclient", "first-noop", "greeting"):
        loaded(session, gate.format(name))
    (said,) = problems(session, gate.format("first-nop"))
    assert "did you mean smtp.first-noop.response" in said
    (said,) = problems(session, '[[gate]]\nmetric = "replies.smtp.xclint.2yz"\nequals = 0\n')
    assert "did you mean replies.smtp.xclient.<code>" in said


def test_what_was_resolved_reads_back_as_the_same_steps() -> None:
    scenario = loaded(steps(
        GREET, r"send_octets = 'EHLO x\r\n', name = 'a'", "expect = ['250', '5yz']",
        "repeat = {uniform = [1, 3]}, steps = [{send = 'NOOP {{{i}}}', expect = '250', timeout = '2s'}]",
        "think = {exponential = {mean = '1s', max = '9s'}}", "disconnect = 'reset'",
    ))  # fmt: skip
    data = resolved(scenario)
    again = scenario_from({**data, "accounts": {}}, name="x", directory=Path("/nowhere"), environ={})
    assert again.sessions == scenario.sessions
    assert isinstance(again.sessions[0], StepsSession)


def test_a_message_sent_by_steps_is_something_for_the_ledger() -> None:
    lines = [GREET, "send = 'DATA', expect = '354'", "send_message = true, expect = '250'"]
    loaded(steps(*lines), VERIFIED)
    assert problems(steps(*lines[:2]), VERIFIED) == ["ledger.verify: no session delivers anything"]


def test_octets_are_as_written_and_fields_are_not_unescaped() -> None:
    assert filled_octets(r"a\r\n\x00\xFF\\n{{{x}}}é", {"x": r"\r"}) == b"a\r\n\x00\xff\\n{\\r}" + "é".encode()
