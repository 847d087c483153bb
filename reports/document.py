"""The result document, `result.json`: every command's one product, and what every report is made from.

The names are a contract kept for years: what an old reader would misread needs a new schema name.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from reports.capacity_result import Capacity
from reports.compare_result import Comparison
from reports.errors import DocumentError
from reports.health import Health
from reports.ledger_result import LedgerResult
from reports.load_result import (
    DeviationCount,
    FailureCount,
    LoadResult,
    MessageCounts,
    PhaseResult,
    ReplyCount,
    SessionCounts,
    Throughput,
    Timeline,
    WorkerResult,
    books_balance,
)
from reports.times import Quantiles
from reports.under_load import UnderLoad
from reports.verdict import Verdict, Verdicts

__all__ = [
    "SCHEMA",
    "Capacity",
    "CaseResult",
    "Comparison",
    "ConformanceResult",
    "DeviationCount",
    "Document",
    "EndpointFacts",
    "FailureCount",
    "GateResult",
    "Health",
    "HostFacts",
    "LedgerResult",
    "LoadResult",
    "MessageCounts",
    "PhaseResult",
    "Quantiles",
    "Reason",
    "ReplyCount",
    "SessionCounts",
    "Throughput",
    "Timeline",
    "TlsFacts",
    "UnderLoad",
    "Verdict",
    "Verdicts",
    "WorkerResult",
    "books_balance",
    "decode",
    "encode",
    "read",
]

SCHEMA: Final = "mailproof/result-v1"

Question = Literal["correct", "fast_enough", "valid"]
Count = Annotated[int, Meta(ge=0)]


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a verdict is what it is."""

    verdict: Annotated[Question, Meta(description="Which of the three verdicts this explains.")]
    sentence: Annotated[str, Meta(description="For the operator, whole and plain.")]


class GateResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One gate, of the scenario, of a preset or of whoever judged, held against this document."""

    metric: Annotated[str, Meta(description='What was looked at, "p99 of smtp.body.response".')]
    condition: Annotated[str, Meta(description='What is allowed, "below 500 ms".')]
    measured: Annotated[
        str | None, Meta(description='What was found, in human units, "812 ms"; null: no data.')
    ]
    value: Annotated[
        float | None,
        Meta(description="The same as a bare number in `unit`; of what is not known exactly the most it may be. "
             "Null: no data, or no upper bound."),
    ] = None
    least: Annotated[
        float | None, Meta(description="Of what is not known exactly the least it may be; null: `value` is exact.")
    ] = None
    unit: Annotated[
        Literal["ns", "count", "share", "per_s"], Meta(description="Unit of `value`; a share is 0 to 1.")
    ]
    verdict: Verdict
    question: Annotated[Question, Meta(description="The verdict this gate counts for.")]
    steady: Annotated[
        bool | None, Meta(description="Looked at in the steady phase only; false: the whole run; null: neither.")
    ] = None
    preset: Annotated[str | None, Meta(description="The preset it is of; null: somebody wrote it.")] = None
    sentence: Annotated[str, Meta(description="All of it in one sentence.")]


CaseVerdict = Literal[
    "pass", "latitude", "observed", "weak", "divergence", "fail", "inconclusive", "not-applicable", "error"
]


class CaseResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One judged conformance case."""

    id: Annotated[str, Meta(description='The requirement, "smtp.rset.clears-envelope", and "#variant". Permanent.')]
    level: Annotated[str, Meta(description="RFC 2119 level of the requirement; MUST* in prose, HARD: hardening.")]
    verdict: CaseVerdict
    title: Annotated[str, Meta(description="What the requirement comes to, one sentence.")] = ""
    sources: Annotated[tuple[str, ...], Meta(description='Where it stands, "RFC 5321 §4.1.1.5".')] = ()
    expected: str = ""
    got: Annotated[str, Meta(description="What the server did; where nothing was asked, why not.")] = ""
    transcript: Annotated[
        tuple[str, ...], Meta(description="The dialogue, made printable, one line each.")
    ] = ()
    again: Annotated[str, Meta(description="The command that repeats this one case.")] = ""
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    verdicts_seen: Annotated[
        tuple[CaseVerdict, ...], Meta(description="Of several repetitions, where they differed; else empty.")
    ] = ()
    without_load: Annotated[
        CaseVerdict | None,
        Meta(description="What the same case came to when the load was over; null: no load, or nothing was amiss."),
    ] = None
    known: Annotated[
        str | None, Meta(description="Why this verdict was expected, from the baseline: it fails no gate.")
    ] = None


class ConformanceResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A conformance run: the cases planned, and what each came to."""

    planned: Annotated[Count, Meta(description="Cases of the set, the profile and the selection.")] = 0
    executed: Annotated[Count, Meta(description="Cases that were put to the server; the rest say why not.")] = 0
    requirement_set: Annotated[str | None, Meta(description="The frozen set of requirements; null: all.")] = None
    profile: str | None = None
    strict: Annotated[bool, Meta(description="A divergence, and a SHOULD not followed, counted as a failure.")] = False
    notes: Annotated[tuple[str, ...], Meta(description="What a reader must know to judge this run.")] = ()
    under_load: Annotated[UnderLoad | None, Meta(description="Null: no load went on.")] = None
    cases: tuple[CaseResult, ...] = ()


class TlsFacts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The security layer as it was negotiated."""

    version: Annotated[str, Meta(description='"TLSv1.3".')]
    cipher: str
    verified: Annotated[
        bool, Meta(description="False: the certificate was NOT verified, by the operator's wish.")
    ]
    subject: Annotated[
        str | None, Meta(description="Subject of the server's certificate, made printable.")
    ] = None


class EndpointFacts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One address of the server under test, and how it introduced itself."""

    protocol: Literal["smtp", "lmtp", "pop3"]
    url: str
    mail_domain: Annotated[
        str | None, Meta(description="The domain whose MX led to this URL; null: the scenario named it.")
    ] = None
    greeting: Annotated[
        str | None, Meta(description="Its greeting, made printable; null: none was seen.")
    ] = None
    keywords: Annotated[tuple[str, ...], Meta(description="EHLO, LHLO or CAPA lines, made printable.")] = ()
    tls: TlsFacts | None = None


class HostFacts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The machine that generated the load."""

    python: str
    trio: str
    platform: str
    cpus: Annotated[int, Meta(ge=0, description="Processors this process may use.")]
    nofile: Annotated[int | None, Meta(description="Limit of open files.")] = None
    hostname: str | None = None


class Document(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The result of one mailproof run."""

    schema: Annotated[
        Literal["mailproof/result-v1"], Meta(description="Name and version of this format.")
    ] = SCHEMA
    kind: Annotated[Literal["load", "conformance", "compare", "capacity"], Meta(description="What was run.")]
    mailproof: Annotated[str, Meta(description="Version of mailproof.")]
    run_id: str
    started: Annotated[str, Meta(description="RFC 3339, UTC.")]
    duration_s: Annotated[float, Meta(ge=0)] = 0.0
    seed: Annotated[
        int | None, Meta(description="The same seed and scenario give the same arrivals, plans and bytes.")
    ] = None
    interrupted: Annotated[
        Literal["load", "audit", "cases"] | None,
        Meta(
            description="What the operator ended before its time: the load, so that this is not the whole run; or only "
            "the audit, the reading of the maildrops after it; or the cases, of which the rest was not put. Null: "
            "nothing."
        ),
    ] = None
    verdicts: Verdicts
    reasons: tuple[Reason, ...] = ()
    exit_code: Annotated[
        int,
        Meta(description="0 held, 1 failed, 2 operator's error, 3 inconclusive, 4 our bug, 130 interrupted."),
    ]
    load: LoadResult | None = None
    ledger: Annotated[LedgerResult | None, Meta(description="Null: deliveries were not verified.")] = None
    conformance: ConformanceResult | None = None
    comparison: Annotated[Comparison | None, Meta(description="Two sets of runs beside each other.")] = None
    capacity: Annotated[Capacity | None, Meta(description="The search for what the target can take.")] = None
    gates: tuple[GateResult, ...] = ()
    scenario: Annotated[
        dict[str, object],
        Meta(description="The scenario as it was run, every default filled in, passwords masked."),
    ] = {}
    target: tuple[EndpointFacts, ...] = ()
    host: HostFacts | None = None


# msgspec's words -> ours
_CUT: Final = {"Input data was truncated": "it is cut off before its end"}


class _Header(Struct, frozen=True):
    """As much as any version of the document has."""

    schema: str | None = None


def encode(document: Document) -> bytes:
    """Return the document as indented JSON, UTF-8, ending with a newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decode(octets: bytes) -> Document:
    """Return the document these octets hold.

    DocumentError (the operator's) when they are not JSON, are of another schema, or do not fit this one; the
    message then names the key.
    """
    try:
        header = msgspec.json.decode(octets, type=_Header)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise DocumentError(f"not a mailproof result: {_CUT.get(str(exc), exc) if octets else 'it is empty'}") from None
    if header.schema is None:
        raise DocumentError(f'not a mailproof result: it has no "schema" key; "{SCHEMA}" is expected')
    if header.schema != SCHEMA:
        raise DocumentError(f'the result is of schema "{header.schema[:80]}"; this version reads "{SCHEMA}"')
    try:
        return msgspec.json.decode(octets, type=Document)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise DocumentError(f"the result does not fit schema {SCHEMA}: {_key_first(str(exc))}") from None


def read(path: Path) -> Document:
    """Return the document in a file; DocumentError also when it cannot be read."""
    try:
        octets = path.read_bytes()
    except OSError as exc:
        raise DocumentError(f"cannot read {path}: {exc.strerror}") from None
    try:
        return decode(octets)
    except DocumentError as exc:
        raise DocumentError(f"{path}: {exc}") from None


def _key_first(complaint: str) -> str:
    """Turn msgspec's "Expected `int`, got `str` - at `$.load.x`" into "load.x: Expected `int`, got `str`"."""
    what, found, where = complaint.rpartition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if found else complaint
