"""The reading of the maildrops after the load: patient with mail that is late, not with a server that is gone."""



import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.audit import SIDE_BY_SIDE, STALL_LIMIT_S, audit
from loadgen.ledger.ledger import Ledger
from loadgen.message.stamp import Stamp, digest_of
from loadgen.scenario.accounts import Account
from loadgen.session.route import Route
from loadgen.session.trace import Offered, Trace
from loadgen.transport.errors import ConnectRefused
from loadgen.transport.stream import Transport
from reports.errors import UserError
from tests.engine.house import House, route_to, served_by

BODY = b"hello\r\n"
MAIL = b"X-Mailproof-Id: run.0.0\r\n\r\n" + BODY


def accounts(count: int = 5) -> list[Account]:
    return [Account(f"user{n}@example.test", f"user{n}@example.test", f"secret{n}") for n in range(1, count + 1)]


@pytest.fixture
def ledger() -> Ledger:
    """One message accepted for user1."""
    trace = Trace()
    trace.begun.append(Offered(Stamp("run.0.0", digest_of(BODY)), ("user1@example.test",)))
    trace.settle(("user1@example.test",), accepted=True, at_ns=0)
    made = Ledger("run")
    made.add(trace)
    return made


def deliver(house: House, number: int = 1) -> None:
    house.service.maildrops.deliver([f"user{number}@example.test"], MAIL)


async def look(ledger: Ledger, route: Route, settle_s: float, stop: trio.Event | None = None) -> set[str]:
    stop = trio.Event() if stop is None else stop
    return await audit(ledger, route, accounts(), auth="user", settle_s=settle_s, stop=stop)


async def test_mail_that_is_there_is_found_in_one_round(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    house = House(nursery)
    deliver(house)
    read = await look(ledger, house.route("pop3"), settle_s=10)
    assert trio.current_time() == 0
    assert read == {account.address for account in accounts()}
    assert ledger.result(read).delivered_once == 1


async def test_mail_that_comes_late_is_waited_for_and_found(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    house = House(nursery)

    async def late() -> None:
        await trio.sleep(3.1)
        deliver(house)

    nursery.start_soon(late)
    read = await look(ledger, house.route("pop3"), settle_s=10)
    assert trio.current_time() == 3.25
    assert ledger.result(read).delivered_once == 1


async def test_what_is_still_owed_when_somebody_stops_is_pending_for_its_time_was_not_over(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    stop = trio.Event()

    async def press() -> None:
        await trio.sleep(1.1)            # between two rounds: every maildrop has been read, and found without it
        stop.set()

    nursery.start_soon(press)
    read = await look(ledger, House(nursery).route("pop3"), settle_s=10, stop=stop)
    assert trio.current_time() == 1.1
    assert (ledger.result(read).lost, ledger.result(read).pending) == (0, 1)
    assert len(read) == len(accounts()) - 1


async def test_mail_that_never_comes_is_lost_when_the_settling_time_is_over(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    read = await look(ledger, House(nursery).route("pop3"), settle_s=2)
    assert trio.current_time() == 2
    assert ledger.result(read).lost == 1


async def test_a_maildrop_that_does_not_let_us_in_owes_its_mail_as_pending(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    house = House(nursery)
    house.service.maildrops.maildrop("user1@example.test").lock()
    read = await look(ledger, house.route("pop3"), settle_s=1)
    assert read == {account.address for account in accounts()[1:]}
    assert (ledger.result(read).pending, ledger.result(read).lost) == (1, 0)


async def test_a_server_that_answers_no_more_ends_the_audit(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    read = await look(ledger, served_by(silence, nursery, "pop3"), settle_s=3)
    assert trio.current_time() == 3 + STALL_LIMIT_S
    assert read == set()
    assert ledger.result(read).pending == 1


async def test_a_maildrop_read_once_and_never_again_is_not_a_proof_of_loss(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    good, dead = House(nursery).route("pop3"), served_by(silence, nursery, "pop3")

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        return await (good if trio.current_time() == 0 else dead).dial(route, arrival, deadline)

    read = await look(ledger, route_to("pop3", dial), settle_s=3)
    assert read == {account.address for account in accounts()[1:]}
    assert (ledger.result(read).pending, ledger.result(read).lost) == (1, 0)


async def test_a_server_that_is_gone_ends_the_audit(ledger: Ledger, autojump_clock: MockClock) -> None:
    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        raise ConnectRefused("127.0.0.1:2110 refused the connection")

    read = await look(ledger, route_to("pop3", dial), settle_s=1)
    assert trio.current_time() == 1
    assert ledger.result(read).pending == 1


@pytest.mark.parametrize("what", ["add", "maildrops_owing"])
async def test_what_cannot_be_entered_ends_the_reading_with_one_sentence(
    what: str, ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise UserError("the ledger cannot be written: database or disk is full")

    monkeypatch.setattr(ledger, what, full)
    with pytest.raises(UserError, match="disk is full"):
        await look(ledger, House(nursery).route("pop3"), settle_s=10)
    assert trio.current_time() == 0


async def test_a_slow_server_may_finish_as_long_as_something_comes(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    house = House(nursery)
    deliver(house)
    route = slow(house, 4.0)
    read = await look(ledger, route, settle_s=0)
    assert trio.current_time() > STALL_LIMIT_S
    assert ledger.result(read).delivered_once == 1


async def test_stop_ends_the_audit_at_once_and_what_was_not_read_is_pending(
    ledger: Ledger, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    stop = trio.Event()

    async def press() -> None:
        await trio.sleep(2.1)
        stop.set()

    nursery.start_soon(press)
    read = await look(ledger, served_by(silence, nursery, "pop3"), settle_s=60, stop=stop)
    assert trio.current_time() == 2.1
    assert ledger.result(read).pending == 1


async def test_only_so_many_maildrops_are_open_at_once(autojump_clock: MockClock) -> None:
    open_now, most = 0, 0

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await trio.sleep(1)
        open_now -= 1
        raise ConnectRefused("no")

    await audit(
        Ledger("run"), route_to("pop3", dial), accounts(40), auth="user", settle_s=0, stop=trio.Event()
    )
    assert most == SIDE_BY_SIDE


async def silence(stream: trio.abc.Stream) -> None:
    async with stream:
        await trio.sleep_forever()


def slow(house: House, each_s: float) -> Route:
    """Return a route on which every connection takes its time to be made, one after the other."""
    inner, turn = house.route("pop3"), trio.Lock()

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        async with turn:
            await trio.sleep(each_s)
        return await inner.dial(inner, arrival, deadline)

    return route_to("pop3", dial)
