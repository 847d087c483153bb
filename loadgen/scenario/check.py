"""What a scenario's parts mean together: every problem beyond form, as a list.

Looks at each section whose form could be read, so one slip elsewhere does not hide what is wrong here.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from loadgen.endpoint import Endpoint, MailDomain, Protocol, parse_nameserver
from loadgen.scenario.check_accounts import account_problems
from loadgen.scenario.check_crash import crash_problems
from loadgen.scenario.check_ledger import ledger_problems
from loadgen.scenario.check_load import load_problems, replay_problems
from loadgen.scenario.check_sessions import protocol_of, session_problems
from loadgen.scenario.draft import Draft, names_of
from loadgen.scenario.model import LmtpDeliver, Session, SmtpDeliver, Target
from loadgen.scenario.problems import Problem, near_miss, show
from loadgen.scenario.quantities import Duration
from loadgen.scenario.safety import domain_refusal, refusal
from loadgen.scenario.sources import ALLOWED, expanded
from loadgen.scenario.steps import StepsSession, step_phases
from reports.gate import Gate, problems_of
from reports.metric import metric_named
from reports.named_metric import ANYTHING_NAMED, Named
from reports.preset import PRESETS

_SCHEMES: Final[dict[Protocol, str]] = {
    "smtp": "an smtp, smtps or smtp+unix URL, or mx: and a domain",
    "lmtp": "an lmtp or lmtp+unix URL",
    "pop3": "a pop3 or pop3s URL",
}


def check(draft: Draft, *, authorized: bool, environ: Mapping[str, str]) -> list[Problem]:
    """Return every problem of meaning, in the order of the sections; none means the scenario can run."""
    problems: list[Problem] = []
    if draft.about is not None and not draft.about.name.isprintable():
        problems.append(Problem("scenario.name", got=show(draft.about.name), allowed="printable text"))
    if draft.target is not None:
        problems += _target_problems(draft.target, authorized=authorized)
    if draft.accounts is not None:
        problems += account_problems(draft.accounts, environ)
        if draft.accounts.file is not None and draft.target is not None and draft.target.embedded:
            what = "the embedded server makes its accounts from accounts.pattern, it cannot take them from a file"
            problems.append(Problem("accounts.file", what=what))
    if draft.load is not None:
        problems += load_problems(draft.load)
        problems += replay_problems(draft)
    problems += session_problems(draft)
    if draft.limits is not None:
        given = ((name, getattr(draft.limits, name)) for name in draft.limits.__struct_fields__)
        problems += [
            Problem(f"limits.{name}", got=f'"{limit}"', allowed="more than zero")
            for name, limit in given
            if isinstance(limit, Duration) and limit.ns == 0
        ]
    problems += ledger_problems(draft)
    if draft.crash is not None:
        problems += crash_problems(draft.crash, draft.load, draft.target, draft.ledger)
    problems += _gate_problems(draft)
    return problems


def _target_problems(target: Target, *, authorized: bool) -> Iterator[Problem]:
    for protocol, endpoint in target.endpoints.items():
        path = f"target.{protocol}"
        if endpoint.protocol != protocol:
            yield Problem(path, got=f'"{endpoint}"', allowed=_SCHEMES[protocol])
        elif target.tls == "implicit" and not endpoint.implicit_tls:
            instead = f"a {protocol}s URL" if protocol != "lmtp" else "no lmtp URL: LMTP has no implicit TLS"
            yield Problem(path, got=f'"{endpoint}"', allowed=f'{instead} with tls = "implicit"')
        reason = _refusal(endpoint, target.permitted_hosts, authorized)
        if reason is not None:
            yield Problem(path, what=reason)
    endpoints = target.endpoints.values()
    if target.tls == "starttls" and endpoints and not target.embedded and all(e.implicit_tls for e in endpoints):
        what = "every URL speaks TLS from the first octet, which leaves nothing for STARTTLS"
        yield Problem("target.tls", what=what, hint='leave tls out, or say "implicit"')
    if target.ca_file is not None and not Path(target.ca_file).is_file():
        yield Problem("target.ca_file", what=f"no such file: {target.ca_file}")
    if target.ca_file is not None and not target.verify:
        yield Problem("target.ca_file", what="verify = false would never look at it", hint="leave one of them out")
    for i, host in enumerate(target.permitted_hosts):
        if not host or any(mark in host for mark in "/@ ") or (":" in host and not _is_address(host.strip("[]"))):
            allowed = "a host name or an address, without scheme or port"
            yield Problem(f"target.permitted_hosts[{i}]", got=show(host), allowed=allowed)
    yield from _source_problems(target)
    yield from _nameserver_problems(target)
    if target.variants and not target.embedded:
        yield Problem("target.variants", what="only the embedded server has variants", hint="leave it out")


def _source_problems(target: Target) -> Iterator[Problem]:
    for i, notation in enumerate(target.source_addresses):
        try:
            expanded(notation)
        except ValueError:
            yield Problem(f"target.source_addresses[{i}]", got=show(notation), allowed=ALLOWED)


def _refusal(server: Endpoint | MailDomain, permitted_hosts: tuple[str, ...], authorized: bool) -> str | None:
    if isinstance(server, MailDomain):
        return domain_refusal(server, permitted_hosts=permitted_hosts, authorized=authorized)
    return refusal(server, permitted_hosts=permitted_hosts, authorized=authorized)


def _nameserver_problems(target: Target) -> Iterator[Problem]:
    for i, nameserver in enumerate(target.nameservers):
        try:
            parse_nameserver(nameserver)
        except ValueError as error:
            yield Problem(f"target.nameservers[{i}]", what=f"got {show(nameserver)}: {error}")
    if target.nameservers and not any(isinstance(each, MailDomain) for each in target.endpoints.values()):
        yield Problem("target.nameservers", what="only an mx: target asks nameservers", hint="leave it out")


def _gate_problems(draft: Draft) -> Iterator[Problem]:
    sessions = tuple(session for session in draft.sessions if session is not None)
    spoken = {protocol_of(session) for session in sessions}
    complete = bool(draft.sessions) and None not in draft.sessions
    known = spoken if complete else None
    name = None if draft.about is None else draft.about.preset
    if name is not None and name not in PRESETS:
        yield Problem("scenario.preset", got=show(name), allowed=f"one of {', '.join(PRESETS)}",
                      hint=near_miss(name, PRESETS))
    for of_preset in PRESETS.get(name or "", ()):
        yield from (Problem("scenario.preset", what=what) for what in _gates_without_data(of_preset, known, draft))
    # With a session that could not be read, a name may be its: then any name will do.
    named = Named(names_of(sessions), _own_phases(sessions)) if complete else ANYTHING_NAMED
    for i, gate in enumerate(draft.gates):
        if gate is None:
            continue
        path = f"gate[{i}]"
        sentences = problems_of(gate, named)
        yield from (Problem(path, what=sentence) for sentence in sentences)
        if not sentences:
            yield from (Problem(f"{path}.metric", what=what) for what in _gates_without_data(gate, known, draft))


def _own_phases(sessions: Iterable[Session]) -> frozenset[str]:
    """Return the phases that steps of the scenario's own are reported under."""
    written = [step_phases(session) for session in sessions if isinstance(session, StepsSession)]
    return frozenset[str]().union(*written)


def _tries_again(session: Session | None) -> bool:
    return isinstance(session, SmtpDeliver | LmtpDeliver) and session.retry is not None


def _gates_without_data(gate: Gate, spoken: set[Protocol] | None, draft: Draft) -> Iterator[str]:
    """Say of a gate that it could only ever be inconclusive: better now than after the run."""
    family, _, rest = gate.metric.partition(".")
    protocol = (rest if family in ("replies", "failures") else gate.metric).partition(".")[0]
    if spoken is not None and protocol in _SCHEMES and protocol not in spoken:
        yield f"{gate.metric} can have no data: no session speaks {protocol.upper()}"
    metric = metric_named(gate.metric, ANYTHING_NAMED)
    if metric is not None and metric.section == "ledger" and draft.ledger is not None and not draft.ledger.verify:
        yield f"{gate.metric} can have no data without [ledger] verify = true"
    if metric is not None and metric.section not in ("load", "ledger"):
        yield f"{gate.metric} can have no data: a load run has none of it; hold it against a result (mailproof gate)"
    if family == "crash" and draft.crash is None:
        yield f"{gate.metric} can have no data without [crash], or --crash COMMAND"
    if family == "retry" and spoken is not None and not any(map(_tries_again, draft.sessions)):
        yield f"{gate.metric} can have no data: no session has retry"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
