"""What a crash says of the server: whether it could be judged at all, and whether it was back in time."""

from collections.abc import Iterator

from reports import units
from reports.crash_result import CrashResult, Outage
from reports.document import Document
from reports.verdict import Verdict

Finding = tuple[Verdict, str]


def durability_findings(document: Document) -> Iterator[Finding]:
    """Give why nothing can be said of what a crash does to mail; what it did the ledger says."""
    crash = document.load.crash if document.load is not None else None
    if crash is None:
        return
    if len(crash.moments) < crash.planned:
        crashed = f"crashed {len(crash.moments)} of {crash.planned} times" if crash.moments else "never crashed"
        yield Verdict.INCONCLUSIVE, f"the server was {crashed}: the load ended before its time"
    for moment in crash.moments:
        at = units.duration(moment.at_ns)
        if moment.trouble is not None:
            said = f', and said "{moment.output.splitlines()[-1]}"' if moment.output else ""
            yield Verdict.INCONCLUSIVE, f"the crash at {at} cannot be judged: {moment.trouble}{said}"
        elif not moment.outages:
            yield (
                Verdict.INCONCLUSIVE,
                f"nobody noticed the crash at {at}: no connection was refused or cut; the command may have done "
                "nothing, or the load was too low",
            )


def was_crashed(document: Document) -> bool:
    """Say whether the server was crashed at all."""
    return document.load is not None and document.load.crash is not None and bool(document.load.crash.moments)


def recovery_findings(document: Document) -> Iterator[Finding]:
    """Give for each outage whether it ended in time."""
    if document.load is not None and document.load.crash is not None:
        for _, verdict, sentence in outages_judged(document.load.crash):
            yield verdict, sentence


def outages_judged(crash: CrashResult) -> Iterator[tuple[str, Verdict, str]]:
    """Give each outage's name, its verdict, and that in a sentence."""
    nexts = [moment.at_ns for moment in crash.moments[1:]]
    for moment, until_ns in zip(crash.moments, [*nexts, crash.load_ns], strict=False):     # there may be no crash
        for outage in moment.outages:
            server = f"{outage.protocol.upper()} after the crash at {units.duration(moment.at_ns)}"
            verdict, what = _judged(crash, outage, until_ns)
            yield server, verdict, f"{server} {what}"


def _judged(crash: CrashResult, outage: Outage, until_ns: int) -> Finding:
    allowed = f"at most {units.duration(crash.recover_within_ns)} is expected"
    if (took_ns := outage.recovery_ns) is not None:
        verdict = Verdict.PASS if took_ns <= crash.recover_within_ns else Verdict.FAIL
        return verdict, f"was back after {units.duration(took_ns)}, {allowed}"
    waited_ns = max(0, until_ns - outage.began_ns)
    waited = f"was not back after {units.duration(waited_ns)}"
    if waited_ns > crash.recover_within_ns:
        return Verdict.FAIL, f"{waited}, {allowed}"
    end = "the next crash came" if until_ns < crash.load_ns else "the load ended"
    return Verdict.INCONCLUSIVE, f"{waited}, when {end}; {allowed}, so the load must last longer"
