"""One look at the target before the load: is it there, is it what the scenario says, does it let us in.

A thousand sessions failing for one typo is no measurement. What is learnt here stands in the report.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import trio

from loadgen.clock import NS_PER_S
from loadgen.endpoint import Protocol
from loadgen.engine.routes import phase_limits
from loadgen.engine.stop import cancel_when
from loadgen.scenario.accounts import Account
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import Limits, Scenario
from loadgen.session.dialogue import Connection
from loadgen.session.login import mechanism_for, was_about_the_password
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace
from loadgen.transport.errors import TlsFailed, TransportError, TransportTimeout
from loadgen.transport.limits import PhaseLimits
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3_commands import Capa
from loadgen.wire.printable import printable
from reports.document import EndpointFacts, TlsFacts
from reports.errors import PreconditionFailed, UserError

KEYWORDS_MAX = 64
NO_LIMITS = Limits()
LOOK_LIMIT_S = 30.0       # of a phase that the scenario sets none for: RFC 5321's five minutes are long to watch
SAY_AFTER_S = 2.0         # what is waited for; whoever has a slow server knows it, and is not told each time
SAY_EVERY_S = 0.5         # it is looked whether there is something to say


class Waiting:
    """What is waited for at the target. It is said when that takes long: once for each phase of an endpoint."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._said: set[str] = set()
        self._look: tuple[Route, Trace, float] | None = None      # the one under way, and when it began

    def begin(self, route: Route, trace: Trace) -> None:
        """Note that a look begins."""
        self._look = route, trace, trio.current_time()

    async def tell(self) -> None:
        """Say what there is to say. Runs until it is cancelled."""
        while True:
            await trio.sleep(SAY_EVERY_S)
            if self._look is None:
                continue
            route, trace, began_s = self._look
            since_s = trace.timings[-1][2] / NS_PER_S if trace.timings else began_s
            sentence = f"{route.endpoint}: no answer in {trace.phase} yet; waiting for up to {_limit(route, trace)}"
            if trio.current_time() - since_s >= SAY_AFTER_S and sentence not in self._said:
                self._said.add(sentence)
                self._note(sentence)


def _limit(route: Route, trace: Trace) -> str:
    name = PhaseLimits.name_of(trace.phase)
    return f"{getattr(route.limits, name):g} s (limits.{name})"


async def look_at(
    routes: Mapping[Protocol, Route],
    logins: Mapping[Protocol, tuple[str, ...]],
    accounts: Sequence[Account],
    *,
    limits: Limits = NO_LIMITS,
    stop: trio.Event,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[EndpointFacts, ...]:
    """Open one session by each route and way to log in; return what was seen, so far if `stop` comes first.

    `accounts` are the first and the last of the scenario's: a target that has fewer lets only the first one in.
    Each phase is waited for as long as the scenario's `limits` say, or LOOK_LIMIT_S; `note` is told what takes long.
    Raises UserError where the operator must act (a login refused, a certificate not trusted) and
    PreconditionFailed where the server cannot be measured.
    """
    facts: list[EndpointFacts] = []
    complaint: UserError | None = None
    waiting, limited = Waiting(note), phase_limits(limits, unless_named_s=LOOK_LIMIT_S)
    async with trio.open_nursery() as looking:
        looking.start_soon(cancel_when, stop, looking.cancel_scope)
        looking.start_soon(waiting.tell)
        try:
            for protocol, route in routes.items():
                patient = replace(route, limits=limited)
                for auth in logins[protocol]:
                    seen = await _look(patient, auth, accounts[0], waiting)
                    if auth != "none" and accounts[-1] != accounts[0]:
                        await _look(patient, auth, accounts[-1], waiting, but=accounts[0])
                facts.append(seen)
        except UserError as error:      # not through the nursery: it would come out as a group
            complaint = error
        looking.cancel_scope.cancel()
    if complaint is not None:
        raise complaint
    return tuple(facts)


def logins_used(scenario: Scenario) -> dict[Protocol, tuple[str, ...]]:
    """Return the ways to log in that a scenario uses, by protocol; ("none",) where it never does."""
    logins: dict[Protocol, set[str]] = {"smtp": set(), "lmtp": set(), "pop3": set()}
    for session in scenario.sessions:
        if session.weight:
            logins[protocol_of(session)].add(session.auth)
    if scenario.ledger.reads_pop3 and not logins["pop3"] - {"none"}:
        logins["pop3"].add("user")
    return {protocol: tuple(sorted(names)) or ("none",) for protocol, names in logins.items()}


async def _look(
    route: Route, auth: str, account: Account, waiting: Waiting, *, but: Account | None = None
) -> EndpointFacts:
    """Open one session; `but` is an account that was let in before."""
    trace = Trace()
    look = _look_at_pop3 if route.endpoint.protocol == "pop3" else _look_at_smtp
    waiting.begin(route, trace)
    try:
        return await look(route, auth, account, trace)
    except TransportTimeout:
        where = f"{route.endpoint}: no answer in {trace.phase} within {_limit(route, trace)}"
        raise PreconditionFailed(where) from None
    except Refused as refused:
        where = f"{route.endpoint}: {refused}"
        if was_about_the_password(trace):
            check = "check [accounts] in the scenario"
            if but is not None:
                check = f"that of {but.login!r} was not: set accounts.count to as many as the target has"
            raise UserError(f"{where}: the login of {account.login!r} by {auth} was refused; {check}") from None
        if refused.said:
            where += f' ("{printable(refused.said)}")'
        raise PreconditionFailed(where) from None
    except TlsFailed as error:
        if error.untrusted:
            raise UserError(
                f"{route.endpoint}: {error}; name its authority with target.ca_file, or set target.verify = false"
            ) from None
        raise PreconditionFailed(f"{route.endpoint}: {error}") from None
    except (TransportError, RemoteProtocolError) as error:
        raise PreconditionFailed(f"{route.endpoint}: {error}") from None


async def _look_at_smtp(route: Route, auth: str, account: Account, trace: Trace) -> EndpointFacts:
    async with SmtpDialogue(route, trace, arrival=0) as dialogue:
        await dialogue.open(mechanism_for(auth, account, 0))
        greeting = dialogue.client.greeting
        facts = _facts(
            route, dialogue, greeting.text if greeting else b"",
            [" ".join([name, *values]) for name, values in dialogue.client.extensions.keywords.items()],
        )
        await dialogue.quit()
    return facts


async def _look_at_pop3(route: Route, auth: str, account: Account, trace: Trace) -> EndpointFacts:
    async with Pop3Dialogue(route, trace, arrival=0) as dialogue:
        await dialogue.open(account, auth)
        capabilities = await dialogue.ask("capa", Capa())
        lines = (capabilities.body or b"").split(b"\r\n") if capabilities.ok else []
        greeting = dialogue.client.greeting
        facts = _facts(route, dialogue, greeting.text if greeting else b"", [printable(line) for line in lines if line])
        await dialogue.quit()
    return facts


def _facts(route: Route, dialogue: Connection, greeting: bytes, keywords: list[str]) -> EndpointFacts:
    tls = dialogue.transport.tls
    return EndpointFacts(
        protocol=route.endpoint.protocol,
        url=str(route.endpoint),
        mail_domain=route.mail_domain,
        greeting=printable(greeting),
        keywords=tuple(keywords[:KEYWORDS_MAX]),
        tls=TlsFacts(version=tls.version, cipher=tls.cipher, verified=tls.verified, subject=tls.peer_subject or None)
        if tls else None,
    )
