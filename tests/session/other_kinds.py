"""The plans of the kinds that probe and bother, from the head of a transcript."""

from typing import Any, Final

from loadgen.scenario.accounts import Account
from loadgen.schedule.other_plans import (
    AuthPlan,
    HalfOpenPlan,
    OtherPlan,
    ProbePlan,
    ResetPlan,
    RsetLoopPlan,
    SlowReadPlan,
    SlowSendPlan,
)

# pop3-contend takes several connections: its tests have a stage of their own.
OTHER_KINDS: Final = frozenset(
    {"smtp-probe", "rset-loop", "auth-storm", "slow-sender", "slow-reader", "half-open", "reset-in-data"}
)


def other_plan_of(head: dict[str, str], account: Account) -> OtherPlan:
    recipients = tuple(head.get("recipients", "user1@example.test").split())
    loops, pause_ns = int(head.get("loops", "1")), int(head.get("pause", "0")) * 10**9
    protocol: Any = head.get("protocol", "smtp")
    auth: Any = head.get("auth", "none")
    commands: Any = tuple(head.get("commands", "").split())
    after: Any = head.get("after", "greeting")
    sender, size = head.get("reverse-path", "load@example.test"), int(head.get("size", "0"))
    match head["session"]:
        case "smtp-probe":
            return ProbePlan(0, "p", account, auth, loops, commands)
        case "rset-loop":
            return RsetLoopPlan(0, "r", account, auth, sender, (recipients,) * loops)
        case "auth-storm":
            password = head.get("password", account.password)
            login = Account(account.address, account.login, password)
            return AuthPlan(0, "a", protocol, login, auth, wrong="password" in head)
        case "slow-sender":
            return SlowSendPlan(0, "s", account, auth, sender, recipients[0], size, int(head["segment"]), pause_ns)
        case "slow-reader":
            protocol = head.get("protocol", "pop3")
            slow_auth: Any = "user" if protocol == "pop3" else "none"
            commands = int(head.get("rsets", "1"))
            return SlowReadPlan(0, "s", protocol, account, slow_auth, commands, 4096, int(head["read"]), pause_ns)
        case "half-open":
            return HalfOpenPlan(0, "h", protocol, after, int(head["hold"]) * 10**9)
        case kind:
            assert kind == "reset-in-data", kind
            return ResetPlan(0, "r", account, auth, sender, recipients[0], size, 0.5)
