"""The monitors over a load's connections: what they see there, what is told of it, and what is never told."""

from collections.abc import Sequence

from conformance.load_monitors import LINES_KEPT, LoadMonitors
from loadgen.endpoint import Protocol
from loadgen.engine.overhearing import Heard
from loadgen.transport.overheard import Event, Happening
from reports.monitors import Departure, MonitorsResult

C, S, TLS, CLOSED = Happening.SENT, Happening.RECEIVED, Happening.TLS, Happening.CLOSED
HELLO: tuple[Event, ...] = (
    (S, b"220 mail.example.test\r\n"), (C, b"EHLO x\r\n"), (S, b"250-mail.example.test\r\n250 ENHANCEDSTATUSCODES\r\n"),
)   # fmt: skip


def judged(*conversations: Sequence[Event], protocol: Protocol = "smtp") -> MonitorsResult:
    monitors = LoadMonitors()
    for events in conversations:
        for _ in monitors.judge(protocol, events):
            pass
    return monitors.result(Heard(monitors, connections=9, judged=len(conversations)))


def told(result: MonitorsResult) -> dict[str, Departure]:
    return {departure.id: departure for departure in result.departures}


def test_what_is_broken_is_counted_and_shown_once() -> None:
    bad = (*HELLO, (C, b"NOOP\r\n"), (S, b"250 ok\r\n"), (C, b"QUIT\r\n"), (S, b"221 2.0.0 bye\n"), (CLOSED, b""))
    result = judged(bad, bad, (*HELLO, (C, b"NOOP\r\n"), (S, b"250 2.0.0 ok\r\n")))
    assert (result.connections, result.judged, result.replies) == (9, 3, 11)
    found = told(result)
    assert set(found) == {"smtp.reply.crlf", "smtp.esc.present"}
    assert (found["smtp.esc.present"].broken, found["smtp.esc.present"].looked) == (2, 5)
    assert found["smtp.esc.present"].transcript[:6][-2:] == ("C: NOOP", "S: 250 ok")
    assert found["smtp.reply.crlf"].transcript[-2:] == ("S: 221 2.0.0 bye\\n [no CRLF]", "*: the server closed")
    assert found["smtp.reply.crlf"].expected
    assert found["smtp.reply.crlf"].verdict == "fail"


def test_a_lawful_server_is_accused_of_nothing() -> None:
    lawful = (*HELLO, (C, b"DATA\r\n"), (S, b"503 5.5.1 no\r\n"), (C, b"QUIT\r\n"), (S, b"221 2.0.0 bye\r\n"))
    result = judged(lawful, lawful)
    assert result.departures == ()
    assert result.requirements > 10


def test_nobody_reads_a_password_in_a_transcript() -> None:
    events = (
        *HELLO, (C, b"AUTH PLAIN AHVzZXIAdG9wc2VjcmV0\r\n"), (S, b"535 no\r\n"), (C, b"AUTH LOGIN\r\n"),
        (S, b"334 VXNlcm5hbWU6\r\n"), (C, b"dXNlcg==\r\n"), (S, b"334 UGFzc3dvcmQ6\r\n"), (C, b"dG9wc2VjcmV0\r\n"),
        (S, b"235 ok\n"), (C, b"QUIT\r\n"),
    )   # fmt: skip
    [crlf] = [each for each in judged(events).departures if each.id == "smtp.reply.crlf"]
    shown = "\n".join(crlf.transcript)
    assert "AUTH PLAIN ***" in shown
    assert "C: ***" in shown
    assert not any(secret in shown for secret in ("AHVzZXI", "dXNlcg", "dG9wc2Vj"))
    pop3 = judged(
        ((S, b"+OK ready <1@x>\r\n"), (C, b"USER u\r\n"), (S, b"+OK\r\n"), (C, b"PASS topsecret\r\n"), (S, b"+ok\n"),
         (C, b"QUIT\r\n"), (S, b"+OK\r\n")),
        protocol="pop3",
    )  # fmt: skip
    shown = "\n".join(line for each in pop3.departures for line in each.transcript)
    assert "PASS ***" in shown
    assert "topsecret" not in shown


def test_a_long_session_is_shown_by_its_end() -> None:
    noops = [event for _ in range(100) for event in ((C, b"NOOP\r\n"), (S, b"250 2.0.0 ok\r\n"))]
    [crlf] = judged((*HELLO, *noops, (C, b"RSET\r\n"), (S, b"250 2.0.0 ok\n"), (C, b"QUIT\r\n"))).departures
    assert len(crlf.transcript) == LINES_KEPT + 1
    assert crlf.transcript[0] == "…"
    assert "C: RSET" in crlf.transcript


def test_lmtp_and_pop3_are_judged_by_their_own_rules() -> None:
    lmtp = judged(
        ((S, b"220 mail.example.test\r\n"), (C, b"LHLO x\r\n"), (S, b"250 mail.example.test\n"), (C, b"QUIT\r\n")),
        protocol="lmtp",
    )
    assert [(each.protocol, each.id) for each in lmtp.departures] == [("lmtp", "smtp.reply.crlf")]
    pop3 = judged(((S, b"+OK ready\n"), (C, b"QUIT\r\n"), (S, b"+OK bye\r\n")), protocol="pop3")
    assert [(each.protocol, each.id) for each in pop3.departures] == [("pop3", "pop3.reply.crlf")]


def test_what_a_run_alone_shows_is_seen_over_all_its_sessions() -> None:
    other = tuple((side, octets.replace(b"mail.", b"other.")) for side, octets in HELLO)
    [banner] = judged(HELLO, other).departures
    assert (banner.id, banner.verdict, banner.transcript) == ("core.same-banner", "weak", ())
