"""What it costs to know what an arrival does, and to make its mail: done while the load runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from benchmarks.micro.timing import best_ns_each
from benchmarks.scenario import Deliveries
from benchmarks.servers import scratch
from loadgen.message.compose import Composer
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.load import load_scenario
from loadgen.schedule.plans import Planner

PLAN = "ns/plan"
SMALL = "ns/message of 1 KiB"
UNVERIFIED = "ns/message of 1 KiB, without a digest"
LARGE = "ns/message of 100 KiB"
COUNT = 2_000
LARGE_COUNT = 100
SENDER, RECIPIENTS = "load@example.test", ("user1@example.test",)
DATE = datetime(2026, 1, 1, tzinfo=UTC)


def ours() -> dict[str, float]:
    """The planner of a scenario of deliveries, and the composer; messages have digests, as for the ledger."""
    file: Path = scratch("plans.toml")
    file.write_text(Deliveries(2525, 100, 10_000, 1, 1024).toml(), encoding="utf-8")
    scenario = load_scenario(str(file), overrides=[], urls={}, seed=None, authorized=False)
    planner = Planner(scenario, open_accounts(scenario.accounts, environ={}))
    verified, unverified = (Composer(seed=1, run_token="00000000", date=DATE, digests=each) for each in (True, False))

    def plan() -> None:
        for k in range(COUNT):
            planner.plan_for(k)

    def compose(composer: Composer, size_octets: int, count: int) -> None:
        for k in range(count):
            composer.compose(k, 0, reverse_path=SENDER, recipients=RECIPIENTS, size_octets=size_octets)

    return {
        PLAN: best_ns_each(plan, COUNT),
        SMALL: best_ns_each(lambda: compose(verified, 1024, COUNT), COUNT),
        UNVERIFIED: best_ns_each(lambda: compose(unverified, 1024, COUNT), COUNT),
        LARGE: best_ns_each(lambda: compose(verified, 102_400, LARGE_COUNT), LARGE_COUNT),
    }


def standard_library() -> dict[str, float]:
    """`email.message`, as the manual has it."""

    def compose(size_octets: int, count: int) -> None:
        text = ("x" * 70 + "\n") * (size_octets // 72)
        for _ in range(count):
            message = EmailMessage(policy=SMTP)
            message["From"], message["To"] = SENDER, RECIPIENTS[0]
            message["Date"], message["Message-ID"] = format_datetime(DATE), make_msgid(domain="example.test")
            message.set_content(text)
            message.as_bytes()

    small = best_ns_each(lambda: compose(1024, COUNT // 10), COUNT // 10)
    return {
        SMALL: small,
        UNVERIFIED: small,          # it makes no digest anyway
        LARGE: best_ns_each(lambda: compose(102_400, LARGE_COUNT // 10), LARGE_COUNT // 10),
    }


SIDES: dict[str, Callable[[], dict[str, float]]] = {
    "mailproof": ours,
    "email.message": standard_library,
}
