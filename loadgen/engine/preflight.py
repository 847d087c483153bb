"""One look at the target before the load: is it there, is it what the scenario says, does it let us in.

A thousand sessions failing for one typo is no measurement. What is learnt here stands in the report.
"""

from collections.abc import Mapping, Sequence

import trio

from loadgen.endpoint import Protocol
from loadgen.engine.stop import cancel_when
from loadgen.scenario.accounts import Account
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import Scenario
from loadgen.session.dialogue import Connection
from loadgen.session.login import mechanism_for, was_about_the_password
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace
from loadgen.transport.errors import TlsFailed, TransportError
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3_commands import Capa
from loadgen.wire.printable import printable
from reports.document import EndpointFacts, TlsFacts
from reports.errors import PreconditionFailed, UserError

KEYWORDS_MAX = 64
LOOK_LIMIT_S = 60.0       # a phase's own limit may be RFC 5321's five minutes: too long to watch nothing happen


async def look_at(
    routes: Mapping[Protocol, Route],
    logins: Mapping[Protocol, tuple[str, ...]],
    accounts: Sequence[Account],
    *,
    stop: trio.Event,
) -> tuple[EndpointFacts, ...]:
    """Open one session by each route and way to log in; return what was seen, so far if `stop` comes first.

    `accounts` are the first and the last of the scenario's: a target that has fewer lets only the first one in.
    Raises UserError where the operator must act (a login refused, a certificate not trusted) and
    PreconditionFailed where the server cannot be measured.
    """
    facts: list[EndpointFacts] = []
    complaint: UserError | None = None
    async with trio.open_nursery() as looking:
        looking.start_soon(cancel_when, stop, looking.cancel_scope)
        try:
            for protocol, route in routes.items():
                for auth in logins[protocol]:
                    seen = await _look(route, auth, accounts[0])
                    if auth != "none" and accounts[-1] != accounts[0]:
                        await _look(route, auth, accounts[-1], but=accounts[0])
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


async def _look(route: Route, auth: str, account: Account, *, but: Account | None = None) -> EndpointFacts:
    """Open one session; `but` is an account that was let in before."""
    trace = Trace()
    look = _look_at_pop3 if route.endpoint.protocol == "pop3" else _look_at_smtp
    try:
        with trio.fail_after(LOOK_LIMIT_S):
            return await look(route, auth, account, trace)
    except trio.TooSlowError:
        where = f"{route.endpoint}: no answer in {trace.phase} for {LOOK_LIMIT_S:g} s"
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
