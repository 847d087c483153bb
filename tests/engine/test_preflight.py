"""The look at the target before the load: each trouble is one sentence and an exit code, and never a traceback."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from loadgen.endpoint import Protocol
from loadgen.engine.preflight import LOOK_LIMIT_S, logins_used, look_at
from loadgen.scenario.model import Limits
from loadgen.scenario.quantities import Duration
from loadgen.session.route import Route
from loadgen.transport.failures import late_connect
from loadgen.transport.stream import Transport
from reports.document import EndpointFacts
from reports.errors import PreconditionFailed
from reports.exit_codes import ExitCode
from tests.engine.house import House, route_to, scenario_of, served_by
from tests.engine.looking import LOGIN, PROTOCOLS, USER, WRONG, answering, complaint_about


async def test_a_good_target_is_described(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        routes = House(nursery).routes()
        logins: dict[Protocol, tuple[str, ...]] = {p: ("none", LOGIN[p]) for p in routes}
        facts = await look_at(routes, logins, (USER,), stop=trio.Event())
    by_protocol = {fact.protocol: fact for fact in facts}
    assert list(by_protocol) == PROTOCOLS
    assert "mail.example.test" in (by_protocol["smtp"].greeting or "")
    assert "PIPELINING" in by_protocol["smtp"].keywords
    assert "UIDL" in by_protocol["pop3"].keywords
    assert all(fact.tls is None for fact in facts)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_wrong_password_is_the_operators_to_correct(protocol: Protocol, nursery: trio.Nursery) -> None:
    complaint = await complaint_about(House(nursery).route(protocol), auth=LOGIN[protocol], accounts=(WRONG,))
    assert complaint.exit_code is ExitCode.OPERATOR_ERROR
    assert "the login of 'user1@example.test'" in str(complaint)
    assert "[accounts]" in str(complaint)
    assert "guess" not in str(complaint)


async def test_a_target_with_fewer_accounts_than_the_scenario_is_found_out_before_the_load(
    nursery: trio.Nursery,
) -> None:
    house = House(nursery, accounts=10)
    few, all_of_them = (replace(USER, login=f"user{n}@example.test", password=f"secret{n}") for n in (11, 10))
    complaint = await complaint_about(house.route("pop3"), auth="user", accounts=(USER, few))
    assert complaint.exit_code is ExitCode.OPERATOR_ERROR
    assert "the login of 'user11@example.test' by user was refused; that of 'user1@example.test' was not" in str(
        complaint
    )
    assert "accounts.count" in str(complaint)
    routes: dict[Protocol, Route] = {"pop3": house.route("pop3")}
    assert len(await look_at(routes, {"pop3": ("user",)}, (USER, all_of_them), stop=trio.Event())) == 1


@pytest.mark.parametrize(
    ("protocol", "auth", "greeting", "answers"),
    [
        ("pop3", "user", b"+OK\r\n", {b"USER": b"+OK\r\n", b"PASS": b"-ERR [IN-USE] locked\r\n"}),
        ("smtp", "plain", b"220 x\r\n", {b"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", b"AUTH": b"454 4.7.0 later\r\n"}),
    ],
)
async def test_a_login_that_fails_for_now_is_not_the_operators_mistake(
    protocol: Protocol, auth: str, greeting: bytes, answers: dict[bytes, bytes], nursery: trio.Nursery
) -> None:
    complaint = await complaint_about(served_by(answering(greeting, answers), nursery, protocol), auth=auth)
    assert complaint.exit_code is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("protocol", "greeting", "answers", "words"),
    [
        ("smtp", b"554 no\r\n", {}, 'smtp.greeting was answered 554 ("554 no")'),
        ("lmtp", b"554 no\r\n", {}, "lmtp.greeting was answered 554"),
        ("pop3", b"-ERR no\r\n", {}, "pop3.greeting was answered -ERR (\"-ERR no\")"),
        ("smtp", b"SSH-2.0-OpenSSH_9.2\r\n", {}, "RFC 5321"),
        ("pop3", b"220 mail\r\n", {}, "RFC 1939"),
        ("smtp", b"220 x\r\n", {b"EHLO": b""}, "closed the connection"),
        ("lmtp", b"220 x\r\n", {b"LHLO": b"500 what\r\n"}, "lmtp.ehlo was answered 500"),
    ],
)
async def test_a_server_that_cannot_be_measured_is_inconclusive(
    protocol: Protocol, greeting: bytes, answers: dict[bytes, bytes], words: str, nursery: trio.Nursery
) -> None:
    complaint = await complaint_about(served_by(answering(greeting, answers), nursery, protocol))
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert words in str(complaint)


async def test_a_login_that_is_not_offered_is_inconclusive(nursery: trio.Nursery) -> None:
    server = answering(b"220 x\r\n", {b"EHLO": b"250 x\r\n"})
    complaint = await complaint_about(served_by(server, nursery, "smtp"), auth="plain")
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert "AUTH PLAIN is not offered" in str(complaint)


async def test_a_silent_server_is_not_waited_for_longer_than_a_person_would(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    complaint = await complaint_about(served_by(answering(b"", {}), nursery, "smtp"))
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert str(complaint) == "smtp://127.0.0.1:2525: no answer in smtp.greeting within 30 s (limits.greeting)"
    assert trio.current_time() == LOOK_LIMIT_S


@pytest.mark.parametrize("greeting", ["5s", "5m"])
async def test_a_silent_server_is_waited_for_as_long_as_the_scenario_says(
    greeting: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    asked = Limits(greeting=Duration.parse(greeting))
    complaint = await complaint_about(served_by(answering(b"", {}), nursery, "smtp"), limits=asked)
    assert f"within {asked.greeting.s if asked.greeting else 0:g} s (limits.greeting)" in str(complaint)
    assert trio.current_time() == {"5s": 5, "5m": 300}[greeting]


async def test_a_connection_that_nobody_takes_is_waited_for_no_longer_either(autojump_clock: MockClock) -> None:
    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        await trio.sleep_until(deadline)
        raise late_connect("192.0.2.1:25")

    said: list[str] = []
    complaint = await complaint_about(route_to("smtp", dial), note=said.append)
    assert str(complaint) == "smtp://127.0.0.1:2525: no answer in smtp.connect within 30 s (limits.connect)"
    assert said == ["smtp://127.0.0.1:2525: no answer in smtp.connect yet; waiting for up to 30 s (limits.connect)"]
    assert trio.current_time() == LOOK_LIMIT_S


async def test_each_answer_has_its_own_limit(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    house = House(nursery, latency_s=LOOK_LIMIT_S - 1)
    assert len(await look_at({"smtp": house.route("smtp")}, {"smtp": ("none",)}, (USER,), stop=trio.Event())) == 1
    assert trio.current_time() > 2 * LOOK_LIMIT_S


async def test_what_is_waited_for_is_said_once_after_two_seconds(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    said: list[tuple[float, str]] = []
    with pytest.raises(PreconditionFailed):
        await look_at(
            {"pop3": served_by(answering(b"", {}), nursery, "pop3")}, {"pop3": ("user",)}, (USER,), stop=trio.Event(),
            note=lambda sentence: said.append((trio.current_time(), sentence)),
        )   # fmt: skip
    assert said == [
        (2.0, "pop3://127.0.0.1:2110: no answer in pop3.greeting yet; waiting for up to 30 s (limits.greeting)")
    ]


async def test_what_is_slow_each_time_is_said_once_and_what_is_quick_never(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    said: list[str] = []
    slow, quick = House(nursery, latency_s=3), House(nursery)
    routes: dict[Protocol, Route] = {"smtp": slow.route("smtp"), "pop3": quick.route("pop3")}
    other = replace(USER, login="user2@example.test", password="secret2")     # looked at in a session of its own
    await look_at(routes, {"smtp": ("plain",), "pop3": ("user",)}, (USER, other), stop=trio.Event(), note=said.append)
    assert [sentence.split()[4] for sentence in said] == ["smtp.greeting", "smtp.ehlo", "smtp.auth", "smtp.quit"]


async def test_stop_ends_the_look_without_complaint(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    stop = trio.Event()
    seen: list[tuple[EndpointFacts, ...]] = []

    async def look() -> None:
        silent = served_by(answering(b"", {}), nursery, "pop3")
        routes: dict[Protocol, Route] = {"smtp": House(nursery).route("smtp"), "pop3": silent}
        seen.append(await look_at(routes, dict.fromkeys(routes, ("none",)), (USER,), stop=stop))

    async with trio.open_nursery() as looking:
        looking.start_soon(look)
        await trio.sleep(1)
        stop.set()
    assert trio.current_time() == 1
    assert [fact.protocol for fact in seen[0]] == ["smtp"]


def test_every_login_that_has_weight_is_looked_at_and_the_ledgers_too() -> None:
    load = '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n'
    smtp = '[[session]]\nkind = "smtp-deliver"\n'
    assert logins_used(scenario_of(load + smtp)) == {"smtp": ("none",), "lmtp": ("none",), "pop3": ("none",)}
    two = f'{load}{smtp}auth = "plain"\n{smtp}name = "never"\nauth = "login"\nweight = 0\n'
    assert logins_used(scenario_of(two))["smtp"] == ("plain",)
    assert logins_used(scenario_of(f"{load}{smtp}[ledger]\nverify = true\n"))["pop3"] == ("user",)
