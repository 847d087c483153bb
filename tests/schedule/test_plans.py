"""Plans: what arrival k does, from the seed and k alone."""

import random
from collections import Counter

import pytest

from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.arrivals import Constant, Process, Ramp, Replay
from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import (
    About,
    Accounts,
    ClosedLoad,
    IdleHold,
    LmtpDeliver,
    Load,
    OpenLoad,
    Pop3Retrieve,
    Scenario,
    Session,
    SmtpDeliver,
)  # fmt: skip
from loadgen.scenario.quantities import Duration, Rate, Size
from loadgen.scenario.shipped import shipped_scenarios
from loadgen.scenario.trace import Trace, TraceFile
from loadgen.schedule.arrivals import arrivals
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, Planner, RetrievalPlan, plan_for

OPEN = OpenLoad(arrivals=(Constant(rate=Rate.parse(1), duration=Duration(10**9)),))


def planner(*sessions: Session, seed: int = 1, count: int = 100, load: Load = OPEN) -> Planner:
    accounts = Accounts(count=count)
    scenario = Scenario(about=About(name="x", seed=seed), load=load, sessions=sessions, accounts=accounts)
    return Planner(scenario, open_accounts(accounts, environ={}))


DELIVER = SmtpDeliver(
    name="mail",
    messages=Counts.parse({"uniform": [1, 3]}),
    recipients=Counts.parse({"uniform": [1, 20]}),
    size=Sizes.parse({"lognormal": {"median": "4 KiB", "sigma": 1.0, "max": "1 MiB"}}),
    auth="plain",
    pipelining="if-offered",
)
READ = Pop3Retrieve(name="read", delete=True, weight=2)
HOLD = IdleHold(name="hold", hold=Durations.parse({"uniform": ["1s", "2s"]}), noop_every=Duration(5))


def test_a_plan_depends_on_nothing_but_the_seed_and_k() -> None:
    numbers = list(range(300))
    in_order = [planner(DELIVER, READ, HOLD).plan_for(k) for k in numbers]
    shared = planner(DELIVER, READ, HOLD)
    random.Random(5).shuffle(numbers)
    shuffled = {k: shared.plan_for(k) for k in numbers}
    assert [shuffled[k] for k in range(300)] == in_order


def test_shards_together_plan_what_one_worker_plans() -> None:
    whole = [planner(DELIVER, READ).plan_for(k) for k in range(60)]
    shards = [planner(DELIVER, READ) for _ in range(3)]
    assert [shards[k % 3].plan_for(k) for k in range(60)] == whole


def test_another_seed_makes_other_plans() -> None:
    assert planner(DELIVER, seed=1).plan_for(0) != planner(DELIVER, seed=2).plan_for(0)


def test_weights_are_honoured() -> None:
    zero = IdleHold(name="never", weight=0)
    chosen = planner(zero, SmtpDeliver(name="a", weight=7), Pop3Retrieve(name="b", weight=3), zero)
    counts = Counter(chosen.plan_for(k).session_name for k in range(10_000))
    assert set(counts) == {"a", "b"}
    assert counts["a"] == pytest.approx(7000, abs=4 * (10_000 * 0.21) ** 0.5)


def test_a_delivery_carries_what_its_session_says() -> None:
    plan = planner(DELIVER).plan_for(3)
    assert isinstance(plan, DeliveryPlan)
    assert (plan.kind, plan.dialect, plan.arrival, plan.session_name) == ("smtp-deliver", "SMTP", 3, "mail")
    assert (plan.auth, plan.pipelining, plan.reverse_path) == ("plain", "if-offered", "load@example.test")
    assert plan.account is not None
    assert [message.index for message in plan.messages] == list(range(len(plan.messages)))


def test_an_lmtp_delivery_says_so() -> None:
    plan = planner(LmtpDeliver(name="l")).plan_for(0)
    assert isinstance(plan, DeliveryPlan)
    assert (plan.kind, plan.dialect, plan.account) == ("lmtp-deliver", "LMTP", None)


def test_a_retrieval_and_a_hold_carry_what_their_sessions_say() -> None:
    read, hold = planner(READ).plan_for(0), planner(HOLD).plan_for(0)
    assert isinstance(read, RetrievalPlan)
    assert (read.delete, read.auth) == (True, "user")
    assert isinstance(hold, HoldPlan)
    assert 10**9 <= hold.hold_ns <= 2 * 10**9
    assert (hold.protocol, hold.noop_every_ns, hold.account) == ("smtp", 5, None)
    held = planner(IdleHold(name="h", protocol="pop3", auth="user")).plan_for(0)
    assert isinstance(held, HoldPlan)
    assert held.account is not None


def test_chunks_and_groups_are_a_choice() -> None:
    chunked = planner(SmtpDeliver(name="m", chunking="if-offered", chunk=Size(1000))).plan_for(0)
    plain = planner(SmtpDeliver(name="m", chunk=Size(1000))).plan_for(0)
    assert isinstance(chunked, DeliveryPlan)
    assert isinstance(plain, DeliveryPlan)
    assert (chunked.chunk_octets, plain.chunk_octets) == (1000, None)
    grouped = planner(Pop3Retrieve(name="r", pipelining="if-offered")).plan_for(0)
    assert isinstance(grouped, RetrievalPlan)
    assert grouped.pipelining == "if-offered"


def test_recipients_are_distinct_within_a_message_and_all_accounts_get_mail() -> None:
    plans = [planner(DELIVER, count=20).plan_for(k) for k in range(200)]
    messages = [message for plan in plans if isinstance(plan, DeliveryPlan) for message in plan.messages]
    assert all(len(set(message.recipients)) == len(message.recipients) >= 1 for message in messages)
    assert {len(message.recipients) for message in messages} == set(range(1, 21))
    assert {address for message in messages for address in message.recipients} == {
        f"user{n}@example.test" for n in range(1, 21)
    }


def test_a_continuous_count_that_comes_out_as_none_is_still_one() -> None:
    shape = Counts.parse({"exponential": {"mean": 1, "max": 1}})
    plans = [planner(SmtpDeliver(name="m", messages=shape, recipients=shape)).plan_for(k) for k in range(50)]
    assert all(isinstance(plan, DeliveryPlan) and len(plan.messages) == 1 for plan in plans)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1000])
def test_accounts_are_dealt_round_so_that_sessions_in_flight_do_not_meet(count: int) -> None:
    dealt = planner(READ, count=count)
    for start in (0, 5, count):
        accounts = {dealt.account_of(k).address for k in range(start, start + count)}
        assert len(accounts) == count                       # any `count` arrivals in a row: all different


def test_accounts_are_dealt_in_an_order_of_the_seed_s_own() -> None:
    orders = {tuple(planner(READ, seed=seed).account_of(k).login for k in range(10)) for seed in range(10)}
    assert len(orders) == 10


def test_think_time_is_drawn_by_user_and_turn() -> None:
    think = Durations.parse({"exponential": {"mean": "1s", "max": "10s"}})
    closed = planner(READ, load=ClosedLoad(virtual_users=3, think=think, sessions=9))
    drawn = {(user, i): closed.think_ns(user, i) for user in range(3) for i in range(3)}
    assert len(set(drawn.values())) == 9
    assert closed.think_ns(1, 2) == drawn[1, 2]
    assert planner(READ).think_ns(0, 0) == 0


def test_the_users_of_a_ramp_begin_evenly_over_it_and_wait_for_no_turn_again() -> None:
    closed = planner(READ, load=ClosedLoad(virtual_users=4, ramp=Duration.parse("2s"), sessions=8))
    assert [closed.think_ns(user, 0) for user in range(4)] == [0, 500_000_000, 1_000_000_000, 1_500_000_000]
    assert {closed.think_ns(user, 1) for user in range(4)} == {0}


def told(*entries: tuple[int, int, int]) -> Replay:
    """A replay of (instant, size, recipients), 0 where the trace tells nothing."""
    instants_ns, sizes, recipients = zip(*entries, strict=True)
    return Replay(file=TraceFile(Trace("trace.csv", instants_ns, sizes, recipients)))


def messages_of(chosen: Planner, numbers: range) -> list[tuple[int, int]]:
    plans = [chosen.plan_for(k) for k in numbers]
    assert all(isinstance(plan, DeliveryPlan) and len(plan.messages) == 1 for plan in plans)
    return [
        (message.size_octets, len(message.recipients))
        for plan in plans if isinstance(plan, DeliveryPlan) for message in plan.messages
    ]   # fmt: skip


def test_a_replayed_message_has_the_size_and_the_recipients_its_trace_tells() -> None:
    load = OpenLoad(arrivals=(told((0, 1500, 2), (5, 70, 1), (9, 900, 200)),))
    several = SmtpDeliver(name="mail", messages=Counts.parse({"uniform": [2, 5]}), recipients=Counts.parse(7))
    chosen = planner(several, READ, HOLD, load=load)          # told messages are for the one that delivers
    assert messages_of(chosen, range(3)) == [(1500, 2), (70, 1), (900, 100)]     # no more than there are accounts


def test_what_a_trace_does_not_tell_is_drawn_as_ever() -> None:
    load = OpenLoad(arrivals=(told((0, 1500, 0), (5, 0, 3), *[(9, 0, 0)] * 200),))
    several = SmtpDeliver(name="mail", recipients=Counts.parse(7), size=Sizes.parse("4 KiB"))
    chosen = planner(several, READ, load=load)
    assert messages_of(chosen, range(2)) == [(1500, 7), (4096, 3)]
    kinds = Counter(chosen.plan_for(k).kind for k in range(2, 202))
    assert set(kinds) == {"smtp-deliver", "pop3-retrieve"}


@pytest.mark.parametrize("process", ["even", "poisson"])
def test_a_trace_finds_its_own_arrivals_after_other_shapes(process: Process) -> None:
    before = Constant(rate=Rate.parse(7), duration=Duration(3 * 10**9), process=process)
    between = Ramp(start=Rate.parse(9), end=Rate.parse(1), duration=Duration(2 * 10**9), process=process)
    load = OpenLoad(arrivals=(before, told((0, 11, 1), (5, 12, 2)), between, told((0, 13, 3)), before))
    at = list(arrivals(load, 4))
    first = sum(1 for instant in at if instant < 3 * 10**9)
    second = first + 2 + sum(1 for instant in at if 3 * 10**9 + 6 <= instant < 5 * 10**9 + 6)
    chosen = planner(SmtpDeliver(name="mail", size=Sizes.parse(999)), load=load, seed=4)
    assert messages_of(chosen, range(first, first + 2)) == [(11, 1), (12, 2)]
    assert messages_of(chosen, range(second, second + 1)) == [(13, 3)]
    others = [k for k in range(len(at)) if k not in (first, first + 1, second)]
    assert {messages_of(chosen, range(k, k + 1))[0] for k in others} == {(999, 1)}


def test_a_virtual_user_with_a_maildrop_of_its_own_keeps_it() -> None:
    load = ClosedLoad(virtual_users=5, maildrop="own", sessions=99)
    kept = planner(READ, load=load, count=3)
    for user in range(5):
        assert {kept.account_of(user + 5 * turn).login for turn in range(20)} == {f"user{user % 3 + 1}@example.test"}


def test_maildrops_are_dealt_to_virtual_users_unless_they_keep_their_own() -> None:
    dealt = planner(READ, load=ClosedLoad(virtual_users=5, sessions=99), count=40)
    assert len({dealt.account_of(5 * turn).login for turn in range(8)}) == 8


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_sends_to_reserved_names_only(name: str) -> None:
    scenario = load_scenario(name)
    for k in range(100):
        plan = plan_for(scenario, k, environ={})
        if isinstance(plan, DeliveryPlan):
            addresses = [plan.reverse_path, *(a for message in plan.messages for a in message.recipients)]
            assert all(address.endswith("@example.test") for address in addresses)   # RFC 2606 §2


def test_the_quickstart_keeps_a_thousand_sessions_open_and_is_gentle() -> None:
    scenario = load_scenario("quickstart")
    assert isinstance(scenario.load, OpenLoad)
    plans = Planner(scenario, open_accounts(scenario.accounts, environ={}))
    edges: list[tuple[int, int]] = []
    messages_per_s: Counter[int] = Counter()
    for k, start_ns in enumerate(arrivals(scenario.load, scenario.about.seed)):
        match plans.plan_for(k):
            case HoldPlan(hold_ns=hold_ns):
                edges += [(start_ns, 1), (start_ns + hold_ns, -1)]
            case DeliveryPlan(messages=messages):
                messages_per_s[start_ns // 10**9] += len(messages)
    open_now = peak = 0
    for _, change in sorted(edges):
        open_now += change
        peak = max(peak, open_now)
    assert 1000 <= peak <= 1200
    assert max(end for end, _ in edges) < 22 * 10**9
    assert max(messages_per_s.values()) <= 60
