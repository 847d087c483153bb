"""Sessions written in TOML, and the stage they are played on."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from loadgen.endpoint import Protocol
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.load import scenario_from
from loadgen.schedule.plans import Plan, Planner
from loadgen.schedule.steps_plan import StepsPlan
from tests.session.theatre import Transcript, turns_of

HEAD = """
[scenario]
name = "x"
seed = 3
[accounts]
count = 3
pattern = "user{n}@example.test"
login = "user{n}"
[load]
model = "closed"
virtual_users = 1
sessions = 1
"""


def planned(session: str, *, arrival: int = 0, tls: str = "none") -> StepsPlan:
    """Return what an arrival does of a session written in TOML."""
    target = f'[target]\nsmtp = "embedded"\nlmtp = "embedded"\npop3 = "embedded"\ntls = "{tls}"\n'
    text = f'{HEAD}\n{target}\n[[session]]\nkind = "steps"\n{session}'
    scenario = scenario_from(tomllib.loads(text), name="x", directory=Path("/nowhere"), environ={})
    plan = Planner(scenario, open_accounts(scenario.accounts, environ={})).plan_for(arrival)
    assert isinstance(plan, StepsPlan)
    return plan


@dataclass(frozen=True)
class Written(Transcript):
    """A transcript whose session is written in TOML."""

    steps: StepsPlan

    @property
    def protocol(self) -> Protocol:
        return self.steps.protocol

    def plan(self) -> Plan:
        return self.steps


def written(session: str, turns: str, *, tls: str = "none", **head: str) -> Written:
    """Return the play of a session and a server's turns."""
    return Written("steps", head, turns_of(turns.strip()), planned(session, tls=tls))
