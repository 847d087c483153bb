"""One small run for real: the embedded server in its process, sockets, and every file a run leaves behind."""

from collections import Counter
from contextlib import closing
from pathlib import Path

import jsonschema
import msgspec
import pytest
import trio
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from loadgen.engine.progress import Progress
from loadgen.engine.run import RunResult, run
from loadgen.engine.shard import Observe
from loadgen.scenario.accounts import open_accounts
from reports.document import decode
from reports.load_result import books_balance
from reports.schema import result_json_schema
from reports.verdict import Verdict
from reports.write import write_run
from tests.engine.house import scenario_of

pytestmark = pytest.mark.timeout(60)      # a server's process has to start

SMALL = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 25, for = "2s"}]
[[session]]
kind = "smtp-deliver"
weight = 2
[[session]]
kind = "lmtp-deliver"
recipients = 2
[[session]]
kind = "pop3-retrieve"
delete = true
[ledger]
verify = true
[[gate]]
metric = "errors.share"
at_most = 0
[[gate]]
metric = "ledger.lost"
equals = 0
"""


async def run_small(
    text: str = SMALL, stop: trio.Event | None = None, observe: Observe | None = None
) -> tuple[RunResult, list[Progress]]:
    scenario = scenario_of(text)
    shown: list[Progress] = []
    result = await run(
        scenario, open_accounts(scenario.accounts, environ={}), run_id="small", version="0.0",
        observe=observe or shown.append, stop=trio.Event() if stop is None else stop,
    )
    return result, shown


async def test_a_small_run_leaves_a_balanced_document_and_its_histograms(tmp_path: Path) -> None:
    result, shown = await run_small()
    document = result.document
    load, ledger = document.load, document.ledger
    assert load is not None
    assert ledger is not None
    assert load.sessions.arrived == 50
    assert load.sessions.accepted + load.sessions.refused == 50, "a maildrop may be locked; nothing else may fail"
    assert all(books_balance(kind) for kind in load.kinds.values())
    assert ledger.accepted == ledger.delivered_once == load.messages.accepted + load.kinds["lmtp-deliver"].arrived
    assert (document.verdicts.correct, document.verdicts.fast_enough) == (Verdict.PASS, Verdict.PASS)
    assert [fact.protocol for fact in document.target] == ["smtp", "lmtp", "pop3"]
    assert document.exit_code in {0, 3}, "3 if this machine was too busy for the run to be believed"
    assert [progress.elapsed_s for progress in shown][:1] == [1]

    write_run(tmp_path, document, intervals=result.intervals, started=result.started)
    octets = (tmp_path / "result.json").read_bytes()
    jsonschema.validate(msgspec.json.decode(octets), result_json_schema())
    assert decode(octets) == document
    for phase, times in load.phases.items():
        written = (tmp_path / "histograms" / f"{phase}.response.hgrm").read_text()
        assert f"Total count    = {times.count:12d}" in written
    with closing(HistogramLogReader(str(tmp_path / "run.hlog"), HdrHistogram(1_000, 3_600_000_000_000, 3))) as log:
        counts: Counter[str] = Counter()
        while (interval := log.get_next_interval_histogram()) is not None:
            counts[interval.get_tag()] += interval.get_total_count()
    assert counts["smtp.body"] == load.phases["smtp.body"].count + load.warm_up_phases.get("smtp.body", 0)


async def test_a_run_stopped_before_its_first_arrival_still_says_so() -> None:
    stop = trio.Event()
    stop.set()
    result, _ = await run_small(stop=stop)
    assert result.document.interrupted == "load"
    assert result.document.exit_code == 130
    assert result.document.load is not None
    assert result.document.load.sessions.arrived == 0


async def test_a_stop_while_the_maildrops_are_read_leaves_the_load_whole() -> None:
    stop = trio.Event()

    def press_in_the_audit(progress: Progress) -> None:
        if progress.stage == "audit":
            stop.set()

    result, _ = await run_small(stop=stop, observe=press_in_the_audit)
    document = result.document
    assert document.interrupted == "audit"
    assert document.exit_code == 130
    assert document.load is not None
    assert document.load.sessions.arrived == 50
    assert document.verdicts.correct is Verdict.INCONCLUSIVE
    assert not [reason for reason in document.reasons if reason.verdict == "valid" and "interrupted" in reason.sentence]
    assert document.ledger is not None
    assert document.ledger.lost == 0


async def test_what_is_to_be_known_of_the_messages_is_said_before_the_load_and_in_the_result(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: a\n\na\n")
    load = '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n'
    scenario = scenario_of(f'{load}[[session]]\nkind = "smtp-deliver"\ncontent = {{corpus = "{tmp_path}"}}')
    said: list[str | Progress] = []
    result = await run(
        scenario, open_accounts(scenario.accounts, environ={}), run_id="small", version="0.0", observe=said.append,
        stop=trio.Event(), note=said.append,
    )
    assert result.document.load is not None
    assert result.document.load.notes == (said[0],)
    assert "3 line ends were made CRLF" in result.document.load.notes[0]
    assert result.document.load.messages.accepted == 1


async def test_a_gate_that_does_not_hold_ends_the_load_and_fails_the_run_that_is_whole_until_then() -> None:
    said: list[str] = []
    text = SMALL.replace('for = "2s"', 'for = "30s"') + """
[[gate]]
metric = "smtp.body.response"
percentile = 50
below = "1ns"
abort_on_breach = {delay = "1s"}
"""
    scenario = scenario_of(text)
    result = await run(
        scenario, open_accounts(scenario.accounts, environ={}), run_id="small", version="0.0",
        observe=lambda progress: None, stop=trio.Event(), note=said.append,
    )   # fmt: skip
    document = result.document
    assert document.load is not None
    assert document.load.aborted is not None
    assert document.load.aborted.at_s < 10
    assert said == [document.load.aborted.sentence]
    assert said[0].startswith("the load was ended ")
    assert (document.interrupted, document.load.notes) == (None, ())
    assert (document.verdicts.correct, document.verdicts.fast_enough) == (Verdict.PASS, Verdict.FAIL)
    assert document.exit_code in {1, 3}, "3 if this machine was too busy for the run to be believed"
    assert document.load.sessions.accepted + document.load.sessions.refused == document.load.sessions.arrived


async def test_the_embedded_server_is_killed_and_started_again_where_it_was_and_maildirs_outlive_it() -> None:
    load = SMALL.replace('for = "2s"', 'for = "3s"').replace("[ledger]", '[crash]\nat = "1s"\n[ledger]')
    servers = "".join(f'{protocol} = "embedded"\n' for protocol in ("smtp", "lmtp", "pop3"))
    scenario = scenario_of(load, head=f'[target]\n{servers}store = "maildir"')
    said: list[str] = []
    result = await run(
        scenario, open_accounts(scenario.accounts, environ={}), run_id="small", version="0.0", stop=trio.Event(),
        observe=lambda progress: None, note=said.append,
    )
    assert said == ["crash: 1.0 s after the start, the server is killed and started again"]
    load_result, ledger = result.document.load, result.document.ledger
    assert load_result is not None
    assert load_result.crash is not None
    assert load_result.sessions.arrived == 75, "the load goes on"
    assert load_result.sessions.outage > 0
    [moment] = load_result.crash.moments
    assert moment.trouble is None
    assert moment.outages, "somebody came while it was away"
    assert ledger is not None
    assert (ledger.lost, ledger.pending) == (0, 0)
    assert ledger.accepted == ledger.delivered_once + ledger.duplicate_lawful
    assert result.document.verdicts.correct is Verdict.PASS
