"""The ledger by way of the Maildirs that real mail software delivers to: what it accepted is there, and timed."""

from pathlib import Path

import pytest

from tests.interop.mail_system import MailSystem
from tests.interop.test_run import assert_nothing_is_lost, result_of_a_run, written_for


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_what_was_accepted_lies_in_its_maildir(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(name)
    scenario, _, _ = written_for(system).partition('[[session]]\nkind = "pop3-retrieve"')
    ledger = f'[ledger]\nverify = true\nsettle = "30s"\nmaildir = "{system.maildrops}/{{local}}"\n'
    document = result_of_a_run(system, scenario + ledger, tmp_path)
    assert_nothing_is_lost(document)
    times = document["ledger"]["end_to_end"]
    assert (times["count"], times["untimed"]) == (document["ledger"]["accepted"], 0)
    assert document["ledger"]["backlog"][-1] == 0
    assert (tmp_path / "out" / "ledger.jsonl").read_bytes() == b""
