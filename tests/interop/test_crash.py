"""`run --crash`: what was answered 250 outlives a kill -9 of all of Postfix, and not one of a server in memory."""

import re
from pathlib import Path

from tests.interop.conftest import or_skip
from tests.interop.crashing import crashed, ours_in_memory, postfix_to_kill
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import Certificate
from tests.interop.test_run import HELD, INCONCLUSIVE, Document

FAILED = 1


def outage_of_smtp(document: Document) -> Document:
    [moment] = document["load"]["crash"]["moments"]
    assert (moment["exit_code"], moment["trouble"]) == (0, None), moment
    [outage] = [each for each in moment["outages"] if each["protocol"] == "smtp"]
    seen: Document = outage
    return seen


def test_the_queue_of_postfix_survives_a_kill_of_all_its_processes(
    certificate: Certificate, dovecot_server: Dovecot, tmp_path: Path
) -> None:
    with or_skip(), postfix_to_kill(certificate, dovecot_server, tmp_path) as target:
        status, document = crashed(target, tmp_path, settle="30s")
    outage = outage_of_smtp(document)
    assert outage["refused"] >= 1
    assert outage["back_ns"] is not None
    output = document["load"]["crash"]["moments"][0]["output"]
    queued = re.search(r"in the queue: (\d+)", output)
    assert queued is not None, output
    assert int(queued[1]) >= 1, "else nothing had to survive"
    ledger = document["ledger"]
    assert ledger["accepted"] == ledger["delivered_once"] + ledger["duplicate_lawful"] > 60, ledger
    assert (ledger["lost"], ledger["corrupt"], ledger["misdelivered"], ledger["pending"]) == (0, 0, 0, 0)
    assert (document["verdicts"]["correct"], document["verdicts"]["fast_enough"]) == ("pass", "pass")
    assert status in {HELD, INCONCLUSIVE}, "inconclusive if this machine was too busy"


def test_a_server_in_memory_loses_all_it_had_said_250_to_and_is_caught(tmp_path: Path) -> None:
    with ours_in_memory(tmp_path) as target:
        status, document = crashed(target, tmp_path, settle="1s")
    ledger, moment = document["ledger"], document["load"]["crash"]["moments"][0]
    assert outage_of_smtp(document)["refused"] >= 1
    # Sessions are milliseconds long: what was accepted in the seconds before the kill is gone, to the last message.
    before = sum(document["load"]["timeline"]["messages_accepted"][: moment["at_ns"] // 1_000_000_000])
    assert before > 0
    assert ledger["lost"] >= before
    assert ledger["lost"] + ledger["delivered_once"] == ledger["accepted"]
    assert document["verdicts"]["correct"] == "fail"
    assert status in {FAILED, INCONCLUSIVE}, "inconclusive if this machine was too busy"
