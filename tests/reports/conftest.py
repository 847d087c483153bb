"""A result document as a real run leaves it: two minutes of mixed load, made from a seed."""

import math
import random
from collections.abc import Callable

import pytest

from reports.arrival_check import ArrivalCheckResult, Within
from reports.conclude import conclude
from reports.document import (
    DeviationCount,
    Document,
    EndpointFacts,
    FailureCount,
    Health,
    HostFacts,
    LedgerResult,
    LoadResult,
    MessageCounts,
    PhaseResult,
    ReplyCount,
    SessionCounts,
    Throughput,
    Timeline,
    TlsFacts,
)
from reports.gate import Gate
from reports.health import InFlight
from reports.histogram import Histogram
from reports.machine import Machine, Ports, Processors, TcpCounters
from reports.verdict import UNJUDGED

BuildDocument = Callable[..., Document]

WARM_UP_S, STEADY_S, DRAIN_S = 10, 120, 4
HOSTILE = '220 <script>alert("owned")</script> & "mx" ESMTP'

# phase, median in ms, spread of the log-normal, samples
PHASE_SHAPES = (
    ("smtp.connect", 0.21, 0.4, 7_200),
    ("smtp.greeting", 1.3, 0.5, 7_200),
    ("smtp.tls", 6.4, 0.3, 7_200),
    ("smtp.ehlo", 0.6, 0.4, 14_400),
    ("smtp.auth", 9.5, 0.5, 7_200),
    ("smtp.mail", 0.8, 0.6, 14_300),
    ("smtp.rcpt", 1.9, 0.7, 14_300),
    ("smtp.data", 0.7, 0.5, 14_200),
    ("smtp.body", 31.0, 0.9, 14_200),
    ("smtp.quit", 0.5, 0.4, 7_100),
    ("smtp.session", 88.0, 0.6, 7_200),
    ("pop3.connect", 0.2, 0.4, 1_800),
    ("pop3.greeting", 0.9, 0.4, 1_800),
    ("pop3.auth", 11.0, 0.4, 1_800),
    ("pop3.stat", 0.7, 0.5, 1_800),
    ("pop3.list", 0.9, 0.6, 1_700),
    ("pop3.retr", 2.6, 0.7, 12_900),
    ("pop3.dele", 0.5, 0.4, 12_900),
    ("pop3.quit", 4.8, 0.8, 1_700),
    ("pop3.session", 46.0, 0.6, 1_800),
)

GATES = (
    Gate(metric="smtp.body.response", percentile=99, below="500ms"),
    Gate(metric="pop3.retr.response", percentile=99, below="100ms"),
    Gate(metric="errors.share", at_most=0.01),
    Gate(metric="messages.accepted.per_s", at_least=100),
    Gate(metric="ledger.lost", equals=0),
)


def _phase(shape: tuple[str, float, float, int], rng: random.Random, slower: float) -> PhaseResult:
    name, median_ms, spread, samples = shape
    service, response = Histogram(), Histogram()
    took = [int(rng.lognormvariate(math.log(median_ms * slower * 1e6), spread)) for _ in range(samples)]
    service.record_many(took)
    # Only what was due at an instant of the schedule can be late for it.
    due = name.endswith((".connect", ".session"))
    response.record_many([ns + int(rng.expovariate(1 / (400_000 * slower))) if due else ns for ns in took])
    return PhaseResult(
        count=samples,
        service_ns=service.quantiles(),
        response_ns=response.quantiles(),
        service_hdr=service.encode(),
        response_hdr=response.encode(),
    )


def _timeline(rng: random.Random, slower: float) -> Timeline:
    seconds = WARM_UP_S + STEADY_S + DRAIN_S
    arrived = [0 if s >= WARM_UP_S + STEADY_S else rng.randint(65, 85) * min(s + 1, 12) // 12 for s in range(seconds)]
    failed = [1 if s % 31 == 17 else 0 for s in range(seconds)]
    dropped = [rng.randint(2, 14) if slower > 3 and 70 <= s < 84 else 0 for s in range(seconds)]
    accepted = [max(0, a - f - d) for a, f, d in zip(arrived, failed, dropped, strict=True)]
    middle = [slower * 88e6 * (1 + 0.5 * math.exp(-((s - 76) ** 2) / 60)) for s in range(seconds)]
    idle = [a == 0 for a in arrived]
    return Timeline(
        arrived=tuple(arrived),
        started=tuple(arrived),
        accepted=tuple(accepted),
        refused=(0,) * seconds,
        failed=tuple(failed),
        timed_out=(0,) * seconds,
        dropped=tuple(dropped),
        in_flight=tuple(
            0 if a == 0 else 240 + int(m / 1e6) + rng.randint(-20, 20) for a, m in zip(arrived, middle, strict=True)
        ),
        messages_accepted=tuple(a * 19 // 10 for a in accepted),
        messages_retrieved=tuple(a * 17 // 10 for a in accepted),
        response_p50_ns=tuple(None if i else int(m * rng.uniform(0.9, 1.1)) for m, i in zip(middle, idle, strict=True)),
        response_p99_ns=tuple(None if i else int(m * rng.uniform(3.4, 5.2)) for m, i in zip(middle, idle, strict=True)),
    )


def _load(rng: random.Random, slower: float) -> LoadResult:
    timeline = _timeline(rng, slower)
    arrived, accepted = sum(timeline.arrived), sum(timeline.accepted)
    failed, dropped = sum(timeline.failed), sum(timeline.dropped)
    refused = arrived - accepted - failed - dropped
    whole = SessionCounts(arrived=arrived, accepted=accepted, refused=refused, failed=failed, dropped=dropped)
    retrievals = SessionCounts(arrived=1_800, accepted=1_800)
    deliveries = SessionCounts(
        arrived=arrived - 1_800, accepted=accepted - 1_800, refused=refused, failed=failed, dropped=dropped
    )
    offered, taken, retrieved = 14_300, sum(timeline.messages_accepted) - 60, sum(timeline.messages_retrieved)
    lag = Histogram()
    lag.record_many([int(rng.expovariate(1 / 350_000)) for _ in range(5_000)])
    phases = {shape[0]: _phase(shape, rng, slower) for shape in PHASE_SHAPES}
    return LoadResult(
        model="open",
        warm_up_s=float(WARM_UP_S),
        steady_s=float(STEADY_S),
        drain_s=float(DRAIN_S),
        in_flight_peak=max(timeline.in_flight),
        sessions=whole,
        messages=MessageCounts(offered=max(offered, taken + 74), accepted=taken, refused=74, retrieved=retrieved),
        throughput=Throughput(
            sessions_arrived_per_s=75.2,
            sessions_per_s=74.9,
            sessions_accepted_per_s=74.1,
            messages_offered_per_s=143.8,
            messages_accepted_per_s=142.6,
            messages_retrieved_per_s=127.5,
            octets_sent_per_s=812_000.0,
            octets_received_per_s=455_000.0,
        ),
        kinds={"smtp-deliver": deliveries, "pop3-retrieve": retrievals},
        phases=phases,
        session_times={"smtp-deliver": phases["smtp.session"], "pop3-retrieve": phases["pop3.session"]},
        warm_up_phases={shape[0]: shape[3] // 14 for shape in PHASE_SHAPES},
        replies=(
            ReplyCount("smtp.greeting", "220", None, 7_900),
            ReplyCount("smtp.mail", "250", "2.1.0", 15_400),
            ReplyCount("smtp.rcpt", "250", "2.1.5", 15_326),
            ReplyCount("smtp.rcpt", "451", "4.3.0", 74),
            ReplyCount("smtp.body", "250", "2.0.0", taken),
            ReplyCount("pop3.auth", "+OK", None, 1_798),
            ReplyCount("pop3.auth", "-ERR", "IN-USE", 2),
        ),
        failures=(
            FailureCount("smtp.body", "the server closed the connection before it answered", 3),
            FailureCount("smtp.connect", "no connection: the server refused it", max(failed - 3, 1)),
        ),
        deviations=(DeviationCount("smtp.ehlo", "bare-lf", 12, "250-8BITMIME\\n"),),
        timeline=timeline,
        arrival_check=ArrivalCheckResult(
            configured=9_400.0,
            delivered=arrived,
            windows=WARM_UP_S + STEADY_S,
            ratio=Within(value=arrived / 9_400, low=0.97, high=1.03),
            dispersion=Within(value=0.94, low=0.67, high=1.41),
            holds=True,
            sentence=f"{arrived:,} arrivals came for 9,400 configured ({arrived / 94:.1f} %); their index of "
            "dispersion is 0.94 (such shapes together give 0.67 to 1.41)",
        ),
        health=Health(
            schedule_lag_ns=lag.quantiles(),
            schedule_lag_hdr=lag.encode(),
            loop_lag_ns=lag.quantiles(),
            cpu_share=0.41,
            longest_pause_ns=48_000_000,
            in_flight=InFlight(looks=2_400, seen=302.4, seen_variance=0.4, recorded=301.1),
            open_files_max=402,
            open_files_limit=65_536,
            gc_pause_ns_max=3_100_000,
            gc_pause_ns_sum=212_000_000,
            gc_collections=341,
            rss_octets_max=148_000_000,
        ),
        machine=Machine(
            processors=Processors(cpus=2, busy=1.12, steal=0.01),
            tcp=TcpCounters(
                listen_overflows=0, listen_drops=0, request_queue_full_drops=0, segments_sent=412_000,
                segments_retransmitted=12, timeouts=3, resets_sent=2, connections_reset=1, connects_failed=1,
            ),
            ports=Ports(low=32_768, high=60_999, used_max=2_114, source="127.0.0.1", destination="127.0.0.1:2525"),
        ),
    )


def _target(*, verified: bool, greeting: str) -> tuple[EndpointFacts, ...]:
    return (
        EndpointFacts(
            protocol="smtp",
            url="smtp://127.0.0.1:2525",
            greeting=greeting,
            keywords=(
                "PIPELINING",
                "SIZE 52428800",
                "8BITMIME",
                "STARTTLS",
                "AUTH PLAIN LOGIN CRAM-MD5",
                "CHUNKING",
            ),
            tls=TlsFacts(
                version="TLSv1.3",
                cipher="TLS_AES_256_GCM_SHA384",
                verified=verified,
                subject="CN=mx.example.test",
            ),
        ),
        EndpointFacts(
            protocol="pop3",
            url="pop3://127.0.0.1:2110",
            greeting="+OK POP3 server ready <1896.697170952@example.test>",
            keywords=("TOP", "UIDL", "STLS", "USER"),
        ),
    )


def build_document(
    *, slower: float = 1.0, lost: int = 0, verified: bool = True, greeting: str = "220 mx.example.test ESMTP"
) -> Document:
    """Make a whole document; a `slower` server (6) breaks the first gate, `lost` messages the ledger."""
    load = _load(random.Random(7), slower)
    unjudged = Document(
        kind="load",
        mailproof="0.1.0",
        run_id="20260101-000000-steady-open",
        started="2026-01-01T00:00:00Z",
        duration_s=float(WARM_UP_S + STEADY_S + DRAIN_S),
        seed=7,
        verdicts=UNJUDGED,
        exit_code=3,
        load=load,
        ledger=LedgerResult(
            accepted=load.messages.accepted,
            delivered_once=load.messages.accepted - lost,
            lost=lost,
            ambiguous=3,
        ),
        scenario=SCENARIO,
        target=_target(verified=verified, greeting=greeting),
        host=HostFacts(
            python="3.11.7",
            trio="0.35.0",
            platform="Linux 6.1 x86_64",
            cpus=2,
            nofile=65_536,
            hostname="bench-1",
        ),
    )
    return conclude(unjudged, GATES)


SCENARIO: dict[str, object] = {
    "scenario": {"name": "steady-open", "seed": 7, "description": "Steady open load, two minutes."},
    "target": {
        "smtp": "smtp://127.0.0.1:2525",
        "pop3": "pop3://127.0.0.1:2110",
        "tls": "starttls",
        "permitted_hosts": [],
    },
    "accounts": {"pattern": "user{n}@example.test", "count": 1000, "password": "***"},
    "load": {
        "model": "open",
        "arrivals": [
            {"shape": "ramp", "from": 0, "to": 75, "over": "10s"},
            {"shape": "poisson", "rate": 75, "for": "2m"},
        ],
        "in_flight_max": 4000,
        "warm_up": "10s",
        "drain": "30s",
    },
    "session": [
        {
            "kind": "smtp-deliver",
            "weight": 8,
            "messages": {"uniform": [1, 3]},
            "size": {"lognormal": {"median": "4 KiB", "sigma": 1.0, "max": "1 MiB"}},
            "pipelining": "if-offered",
            "auth": "plain",
        },
        {"kind": "pop3-retrieve", "weight": 2, "delete": True},
    ],
    "ledger": {"verify": True, "settle": "10s"},
    "gate": [{"metric": "smtp.body.response", "percentile": 99, "below": "500ms"}],
}


@pytest.fixture(scope="session")
def build() -> BuildDocument:
    """Build documents with other troubles than the ready-made ones have."""
    return build_document


@pytest.fixture(scope="session")
def good() -> Document:
    """A run in which everything held."""
    return build_document()


@pytest.fixture(scope="session")
def bad() -> Document:
    """A slow server that lost mail, behind a certificate nobody verified, with a hostile greeting."""
    return build_document(slower=6, lost=3, verified=False, greeting=HOSTILE)
