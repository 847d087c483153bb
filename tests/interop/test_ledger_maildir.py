"""The ledger by way of the Maildirs that real mail software delivers to: what it accepted is there, and timed."""

from pathlib import Path

from tests.interop.mail_system import MailSystem
from tests.interop.test_run import assert_nothing_is_lost, result_of_a_run, written_for


def test_what_was_accepted_lies_in_its_maildir(postfix: MailSystem, tmp_path: Path) -> None:
    scenario, _, _ = written_for(postfix).partition('[[session]]\nkind = "pop3-retrieve"')
    ledger = f'[ledger]\nverify = true\nsettle = "30s"\nmaildir = "{postfix.maildrops}/{{local}}"\n'
    document = result_of_a_run(postfix, scenario + ledger, tmp_path)
    assert_nothing_is_lost(document)
    times = document["ledger"]["end_to_end"]
    assert (times["count"], times["untimed"]) == (document["ledger"]["accepted"], 0)
    assert document["ledger"]["backlog"][-1] == 0
    assert (tmp_path / "out" / "ledger.jsonl").read_bytes() == b""
