"""A scenario on its way in: each section as far as its form could be read, so that the rest can still be checked."""

from dataclasses import dataclass
from typing import Final, get_args

import msgspec
from msgspec import inspect

from loadgen.scenario.decode import BROKEN, Decoder, default_of
from loadgen.scenario.model import (
    About,
    Accounts,
    Crash,
    IdleHold,
    Ledger,
    Limits,
    LmtpDeliver,
    Load,
    OtherSession,
    Pop3Retrieve,
    Scenario,
    Session,
    SmtpDeliver,
    Target,
)
from loadgen.scenario.problems import Problem
from reports.gate import Gate

KINDS: Final[dict[type, str]] = {
    SmtpDeliver: "smtp-deliver",
    LmtpDeliver: "lmtp-deliver",
    Pop3Retrieve: "pop3-retrieve",
    IdleHold: "idle-hold",
    **{kind: str(kind.__struct_config__.tag) for kind in get_args(OtherSession)},
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario whose sections stand alone; None stands for what could not be read."""

    about: About | None
    target: Target | None
    accounts: Accounts | None
    load: Load | None
    sessions: tuple[Session | None, ...]
    limits: Limits | None
    ledger: Ledger | None
    crash: Crash | None      # also None: the scenario has none
    gates: tuple[Gate | None, ...]

    def scenario(self) -> Scenario:
        """Return the whole, each session with its name. Only for a draft without problems."""
        assert self.about is not None, "a draft without problems is whole"
        assert self.target is not None
        assert self.accounts is not None
        assert self.load is not None
        assert self.limits is not None
        assert self.ledger is not None
        sessions = tuple(session for session in self.sessions if session is not None)
        gates = tuple(gate for gate in self.gates if gate is not None)
        assert (len(sessions), len(gates)) == (len(self.sessions), len(self.gates))
        return Scenario(
            about=self.about,
            target=self.target,
            accounts=self.accounts,
            load=self.load,
            sessions=_named(sessions),
            limits=self.limits,
            ledger=self.ledger,
            crash=self.crash,
            gates=gates,
        )


def read_draft(data: dict[str, object]) -> tuple[list[Problem], Draft]:
    """Return every problem of form in TOML's plain data, and the sections that have none."""
    node = inspect.type_info(Scenario)
    assert isinstance(node, inspect.StructType), "a Struct's type info is a StructType"
    decoder = Decoder(frozenset(each.encode_name for each in node.fields))
    read = decoder.fields(node, data, "", item_by_item=True) or {}
    values = {each.name: read[each.name] if each.name in read else default_of(each) for each in node.fields}
    for name, value in values.items():
        match value:
            case tuple():
                values[name] = tuple(None if item is BROKEN else item for item in value)
            case _ if value is BROKEN:
                values[name] = () if name in ("sessions", "gates") else None
    return decoder.problems, Draft(**values)


def names_of(sessions: tuple[Session, ...]) -> frozenset[str]:
    """Return the names of the sessions in the result, given or not."""
    return frozenset(session.name or "" for session in _named(sessions))


def kind_of(session: Session) -> str:
    """Return a session's kind as the file spells it."""
    return KINDS[type(session)]


def _named(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    """Give each session without a name its kind, numbered from the second on: names are keys of the result."""
    taken = {session.name for session in sessions}
    named: list[Session] = []
    for session in sessions:
        name, number = session.name or kind_of(session), 1
        while session.name is None and name in taken:
            number += 1
            name = f"{kind_of(session)}-{number}"
        taken.add(name)
        named.append(msgspec.structs.replace(session, name=name))
    return tuple(named)
