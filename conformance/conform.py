"""One conformance run: the server is sounded, the cases are put to it, and the document is made."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio

from conformance.baseline import Baseline
from conformance.beside import LoadOrder, Told, load_beside
from conformance.case import Case
from conformance.catalogue.requirement import Requirement
from conformance.certificate import in_words
from conformance.declared import Declared, places
from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.mailbox import Mailbox, MaildirReader, Pop3Reader
from conformance.maildrops import Maildrop, Maildrops
from conformance.over_lmtp import is_put_to, with_twins
from conformance.plan import plan_cases
from conformance.pop3_sounding import sound_pop3
from conformance.runner import SURVIVES, Manner
from conformance.selection import Selection
from conformance.sink import open_sink
from conformance.sounding import sound
from conformance.subject import Subject, over_the_network
from conformance.under_load import Beside, Part, part_of, put_all, put_under_load
from conformance.x25 import CASE_LIMIT_S, PROFILE
from loadgen.endpoint import Endpoint
from loadgen.transport.tls import TlsPolicy, make_client_context
from loadgen.wire.printable import printable
from reports.conclude import conclude
from reports.document import CaseResult, ConformanceResult, Document, EndpointFacts
from reports.errors import PreconditionFailed, UserError
from reports.under_load import UnderLoad
from reports.verdict import UNJUDGED

Observe = Callable[[Finding, int, int], None]      # a finding, how many there are, how many are planned


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be judged, and how."""

    endpoints: tuple[Endpoint, ...]
    declared: Declared
    selection: Selection
    manner: Manner
    slow: bool = False
    requirement_set: str | None = None
    profile: str | None = None
    baseline: Baseline | None = None
    load: LoadOrder | None = None          # goes on meanwhile
    run_id: str | None = None              # None: from when it began
    again: str = "mailproof conform"       # the command that repeats this run, but for the targets and --only


async def conform(
    order: Order,
    cases: Collection[Case],
    requirements: Mapping[str, Requirement],
    *,
    version: str,
    observe: Observe,
    told: Told = lambda _: None,
    stop: trio.Event | None = None,
) -> Document:
    """Put the cases to the server and return the document. Raises UserError and PreconditionFailed before any case.

    If a load is ordered, `told` is called with each of its words, and `stop` ends first the cases and then the load.
    """
    over_x25 = order.profile == PROFILE
    if over_x25:                    # a case may have to wait for long
        order = replace(order, manner=replace(order.manner, limit_s=CASE_LIMIT_S))
    place, ordered = order.declared.sink, order.load
    refused: UserError | None = None
    async with trio.open_nursery() as serving:
        try:
            sink = None if place is None else await open_sink(place, serving)
            beside = None
            if ordered is not None:
                start = partial(serving.start, load_beside, ordered, order.endpoints, told)
                beside = Beside(start, trio.Event() if stop is None else stop)
            subjects = subjects_at(order.endpoints, order.declared)
            for subject in subjects:
                subject.sink, subject.x25 = sink, over_x25 and not subject.is_pop3
            document = await judge_all(
                order, cases, requirements, subjects, version=version, observe=observe, beside=beside
            )
        except UserError as error:      # a nursery would make a group of it
            refused = error
        serving.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return document


async def judge_all(
    order: Order,
    cases: Collection[Case],
    requirements: Mapping[str, Requirement],
    subjects: Sequence[Subject],
    *,
    version: str,
    observe: Observe,
    beside: Beside | None = None,
) -> Document:
    """Do what `conform` does with subjects that stand ready, one for each endpoint, and a load of the caller's own."""
    started, began_s = datetime.now(UTC), trio.current_time()
    every = with_twins(cases)
    chosen = order.selection.of(every, requirements)
    put = chosen or order.selection.heard_in(every, requirements)
    asked = [(endpoint, cases_for(endpoint, put)) for endpoint in order.endpoints]
    total = sum(len(part) for _, part in asked)
    if not total:
        raise UserError("nothing to run: no case of the selection is for the protocols of these targets")
    count = 0

    def note(finding: Finding) -> None:
        nonlocal count
        count += 1
        observe(finding, count, total)

    await _sound_all(subjects, asked)
    parts = [
        part_of(subject, plan_cases(cases, requirements, subject, slow=order.slow))
        for subject, (_, cases) in zip(subjects, asked, strict=True) if cases
    ]   # fmt: skip
    if beside is None:
        made, under = [await put_all(part, order.manner, note) for part in parts], None
    else:
        made, under = await put_under_load(parts, order.manner, note, beside)
    document = Document(
        kind="conformance",
        mailproof=version,
        run_id=order.run_id or f"{started:%Y%m%dT%H%M%SZ}-conform",
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_s=trio.current_time() - began_s,
        interrupted="cases" if beside is not None and beside.stop.is_set() else None,
        verdicts=UNJUDGED,
        exit_code=3,
        conformance=_result(order, requirements, parts, made, total if chosen else 0, under, started),
        target=tuple(_facts(part.subject) for part in parts),
    )
    return conclude(document, ())


def _result(
    order: Order,
    requirements: Mapping[str, Requirement],
    parts: Sequence[Part],
    made: Sequence[Sequence[Finding]],
    planned: int,
    under: UnderLoad | None,
    started: datetime,
) -> ConformanceResult:
    """Return what became of the cases, planned so many, and of what was overheard in them."""
    found = [(part.subject.endpoint, finding) for part, of_part in zip(parts, made, strict=True) for finding in of_part]
    overheard = [
        (part.subject.endpoint, finding) for part in parts
        for finding in part.overhearing.findings(requirements, order.selection, strict=order.manner.strict)
    ]   # fmt: skip
    told = [*(found if planned else _broken(found)), *overheard]
    results = tuple(_case_result(finding, requirements[finding.requirement], order, at) for at, finding in told)
    notes = [
        note for part in parts
        for note in (*(_pop3_notes if part.subject.is_pop3 else _notes)(part.subject), *_tls_notes(part.subject))
    ]   # fmt: skip
    if order.baseline is not None:
        results = order.baseline.applied(results, started.date())
        notes += order.baseline.notes(results, started.date())
    return ConformanceResult(
        planned=planned + len(overheard),
        executed=sum(finding.verdict != "not-applicable" for _, finding in told if _is_case(finding)),
        requirement_set=order.requirement_set,
        profile=order.profile,
        strict=order.manner.strict,
        notes=tuple(dict.fromkeys(notes)),
        under_load=under,
        cases=results,
    )


def _broken(found: Sequence[tuple[Endpoint, Finding]]) -> list[tuple[Endpoint, Finding]]:
    """Leave out cases that were put only for the sake of what could be overheard, but not that one of them broke."""
    return [(endpoint, each) for endpoint, each in found if each.verdict is CaseVerdict.ERROR]


def cases_for(endpoint: Endpoint, cases: Sequence[Case]) -> list[Case]:
    """Return the cases that are put to servers of an endpoint's protocol."""
    return [case for case in cases if is_put_to(case, endpoint.protocol)]


def subjects_at(endpoints: Sequence[Endpoint], declared: Declared) -> list[Subject]:
    """Return the endpoints as subjects, not sounded yet, in their order.

    Mail is read back where another endpoint or what is declared allows it, and handed in for a reader's maildrops at
    the first endpoint that takes any.
    """
    maildrops = Maildrops([Maildrop(place) for place in places(declared)])
    subjects = [
        Subject(
            endpoint=endpoint,
            declared=declared,
            run_token=f"mp{secrets.token_hex(3)}",
            mailboxes={} if endpoint.protocol == "pop3" else _mailboxes(endpoints, declared),
            maildrops=maildrops,
            tls=make_client_context(TlsPolicy(verify=False)),       # who the server is, is not what is judged
        )
        for endpoint in endpoints
    ]
    reader = next((subject for subject in subjects if subject.is_pop3), None)
    deliverer = next((subject for subject in subjects if not subject.is_pop3), None)
    for subject in subjects:
        subject.reader = None if subject.is_pop3 else reader
        subject.deliverer = deliverer if subject.is_pop3 else None
    return subjects


async def sound_any(subject: Subject) -> None:
    """Take the first look at a server, whatever it speaks. Raises PreconditionFailed if no session can be had."""
    await (sound_pop3 if subject.is_pop3 else sound)(subject)


async def _sound_all(subjects: Sequence[Subject], parts: Sequence[tuple[Endpoint, list[Case]]]) -> None:
    """Take the first look at every server that is judged, or needed for judging another."""
    for subject, (_, cases) in zip(subjects, parts, strict=True):
        if cases:
            await sound_any(subject)
        elif _is_needed(subject, subjects, parts):
            with suppress(PreconditionFailed):       # the cases that need it say so
                await sound_any(subject)


def _is_needed(subject: Subject, subjects: Sequence[Subject], parts: Sequence[tuple[Endpoint, list[Case]]]) -> bool:
    """Say whether the cases of another endpoint need this one: to hand mail in, or to read it back."""
    put = [one for one, (_, cases) in zip(subjects, parts, strict=True) if cases]
    return any(subject is other.deliverer or subject is other.reader for other in put)


def _mailboxes(endpoints: Sequence[Endpoint], declared: Declared) -> dict[str, Mailbox]:
    """Return what reads the maildrops of the accepted addresses, as far as they can be read."""
    first = declared.addresses.accepted[0] if declared.addresses.accepted else ""      # "": whatever stands in for it
    found: dict[str, Mailbox] = {}
    if declared.maildir is not None:
        found[first] = Mailbox(MaildirReader(Path(declared.maildir)))
    pop3 = next((endpoint for endpoint in endpoints if endpoint.protocol == "pop3"), None)
    if pop3 is not None:
        tls = make_client_context(TlsPolicy(verify=False))
        for place in places(declared):
            reader = Pop3Reader(pop3, place.login, place.password, over_the_network, tls, declared.timers.reply)
            found.setdefault(first if place.address is None else place.address, Mailbox(reader))
    return found


def _tls_notes(subject: Subject) -> list[str]:
    """Say what a handshake came to, and what the certificate says: facts, for who trusts it is not what is judged."""
    tls = subject.found.tls
    if tls is None:
        return []
    words = f"{subject.endpoint}: {tls.version} with {tls.cipher}"
    if not tls.certificate:
        return [f"{words}, and no certificate"]
    return [f"{words}; {in_words(tls.certificate, subject.endpoint.host or '', datetime.now(UTC))}"]


def _facts(subject: Subject) -> EndpointFacts:
    extensions, capabilities = subject.found.extensions, subject.found.pop3.capabilities
    offered = capabilities or {} if extensions is None else extensions.keywords
    keywords = tuple(
        printable(" ".join((keyword, *parameters)).encode()) for keyword, parameters in offered.items()
    )
    return EndpointFacts(
        protocol=subject.endpoint.protocol,
        url=str(subject.endpoint),
        greeting=printable(subject.found.greeting.rstrip(b"\r\n")),
        keywords=keywords,
    )


def _pop3_notes(subject: Subject) -> list[str]:
    """Say what a reader must know of a server of POP3."""
    found = subject.found
    if found.unwelcome:
        return [f"no session could be had, only the greeting was judged: {found.unwelcome}"]
    if not subject.maildrops.every:
        return ["no POP3 account was declared (accounts.pop3): only what goes before a login was judged"]
    if found.pop3.way_in is None:
        return [f"nobody could log in as {printable(subject.maildrops.every[0].place.login.encode())}, the first login"]
    return [f"cases logged in by {found.pop3.way_in}, the first way that led to the first maildrop"]


def _notes(subject: Subject) -> list[str]:
    """Say what a reader must know: what was found out instead of declared, and what a loopback address hides."""
    found, declared = subject.found, subject.declared.addresses
    notes = []
    if found.unwelcome:
        return [f"no session could be had, only the greeting was judged: {found.unwelcome}"]
    if found.sender is None:
        notes.append("the server took no reverse-path: no case could send mail (addresses.sender declares one)")
    elif declared.sender is None:
        notes.append(f"mail was sent from <{printable(found.sender.encode())}>, the first reverse-path that was taken")
    if not declared.accepted:
        notes.append("no address was declared that the server accepts: <postmaster> stood in where it was taken")
    refused = [address for address in declared.accepted if address not in found.recipients]
    if found.sender is not None and refused:
        notes.append(f"declared as accepted, and refused: {', '.join(printable(one.encode()) for one in refused)}")
    if (subject.endpoint.host or "").startswith("127.") or subject.endpoint.host in {"::1", "localhost"}:
        notes.append(
            "the server was reached over loopback, and some servers trust that: Postfix exempts its own networks from "
            "smtpd_forbid_bare_newline, and nearly all of them relay for them"
        )
    return notes


def _case_result(finding: Finding, requirement: Requirement, order: Order, endpoint: Endpoint) -> CaseResult:
    is_reader = endpoint.protocol == "pop3"
    others = (other for other in order.endpoints if (other.protocol == "pop3") is not is_reader)
    again = [order.again, *map(str, (endpoint, *others))]
    return CaseResult(
        id=finding.case_id,
        level=requirement.level.value,
        verdict=finding.verdict.value,
        title=finding.title,
        sources=requirement.sources,
        expected=finding.expected,
        got=finding.got,
        transcript=finding.transcript,
        again=f"{' '.join(again)} --only '{finding.seen_in or finding.case_id.removeprefix(f'{SURVIVES}#')}'",
        seconds=round(finding.seconds, 4),
        verdicts_seen=tuple(verdict.value for verdict in finding.verdicts_seen),
        without_load=None if finding.without_load is None else finding.without_load.value,
    )


def _is_case(finding: Finding) -> bool:
    return finding.requirement != SURVIVES
