"""A server that takes its time is accused of nothing for it: only what was sent may be why it is slow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from trio.testing import MockClock

from conformance.answer import Answer, Ended
from conformance.cases.slowness import grows_past_its_size, sleeps_as_told
from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.refserver.behaviour import RARE, Behaviour, Extension
from conformance.refserver.choices import CHOICES
from loadgen.endpoint import Protocol
from loadgen.wire.reply import Reply
from tests.matrix.laboratory import cases_of, judge
from tests.matrix.test_variants import ACCUSING
from tests.matrix.wire import USUAL, Wire
from tests.session.theatre import Tls

# What takes long where names are looked up, mail is looked through, every answer is late, or every refusal.
ASKED = (
    "hard.endless-header", "hard.deep-mime", "hard.shell-local-part", "smtp.etrn.injection",
    "smtp.bdat.per-chunk-limit", "smtp.pipe.count", "smtp.pipe.order", "smtp.limit.command-unbounded",
    "lmtp.data.sync-after",
)  # fmt: skip
NAMES, MAIL = CHOICES["looks-names-up"], CHOICES["filters-mail"]
NAMES_FOR_LONG = replace(NAMES, pause_s=lambda session, verb, octets: 20.0 if verb in {b"RCPT", b"ETRN"} else 0.0)
MAIL_FOR_LONG = replace(MAIL, pause_s=lambda session, verb, octets: 28.0 if verb in {b".", b"BDAT"} else 0.0)
SLOW = {
    "names": ((NAMES,), USUAL), "names for long": ((NAMES_FOR_LONG,), USUAL),
    "mail": ((MAIL,), USUAL), "mail for long": ((MAIL_FOR_LONG,), USUAL),
    "every answer": ((), Wire(reply_s=20.0)), "refusals": ((), Wire(error_s=20.0)),
}  # fmt: skip


def accused(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {id_: finding.got for id_, finding in findings.items() if finding.verdict in ACCUSING}


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
@pytest.mark.parametrize("what", SLOW)
async def test_who_is_slow_at_everything_runs_nothing(
    what: str, protocol: Protocol, tls: Tls, autojump_clock: MockClock
) -> None:
    choices, wire = SLOW[what]
    behaviour = Behaviour(extensions=frozenset(Extension) | RARE, faults=choices)
    findings = await judge(tls, cases_of(*ASKED), behaviour, protocol=protocol, wire=wire)
    assert accused(findings) == {}
    assert any(finding.verdict is CaseVerdict.PASS for finding in findings.values())


@pytest.mark.parametrize("half", [0, 1])
async def test_mail_that_comes_late_is_no_fault_of_a_list(half: int, tls: Tls, autojump_clock: MockClock) -> None:
    put = cases_of("pop3.")[half::2]         # who has a maildrop beside whom decides whose mail comes late
    findings = await judge(tls, put, protocol="pop3", wire=Wire(reply_s=20.0), slow=False)
    assert accused(findings) == {}


def late(seconds: float) -> Answer:
    return Answer(Reply(550, (b"no",), b"550 no\r\n"), waited_s=seconds)


async def asked(told: bytes, answers: Sequence[Answer]) -> tuple[bool, list[bytes]]:
    """Ask whether a server runs what it is told, by its answers in turn; return what it was told, too."""
    heard = [told]
    coming: Iterator[Answer] = iter(answers[1:])

    async def ask(command: bytes) -> Answer:
        heard.append(command)
        return next(coming)

    return await sleeps_as_told(ask, told, answers[0]), heard


RCPT = b'RCPT TO:<"|sleep 4"@mx4.example>'


async def test_who_sleeps_as_told_runs_what_it_is_told() -> None:
    runs, heard = await asked(RCPT, [late(4.0), late(0.1), late(4.1)])
    assert runs
    assert heard == [RCPT, b'RCPT TO:<"|sleep 0"@mx4.example>', RCPT]


@pytest.mark.parametrize(
    "answers",
    [
        [late(3.9)],
        [late(5.0), late(5.0), late(5.0)],          # a name server that does not answer
        [late(9.0), late(0.1), late(0.1)],          # a machine that stalled
        [late(4.0), late(2.0), late(4.0)],
        [late(4.0), Answer(ended=Ended.CLOSED), late(4.0)],
        [Answer(ended=Ended.SILENT, waited_s=30.0), late(0.1), late(30.0)],
    ],
)
async def test_who_is_late_otherwise_does_not(answers: list[Answer]) -> None:
    runs, _ = await asked(RCPT, answers)
    assert not runs


async def test_who_is_told_nothing_cannot_run_it() -> None:
    assert await asked(b"ETRN 'x.example", [late(9.0)]) == (False, [b"ETRN 'x.example"])


def test_only_what_grows_faster_than_its_size_does_so() -> None:
    assert not grows_past_its_size(20.0, 2.0, 10)
    assert not grows_past_its_size(60.0, 2.0, 10)
    assert grows_past_its_size(61.0, 2.0, 10)
