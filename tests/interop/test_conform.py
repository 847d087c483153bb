"""Real servers under the whole suite: each is accused of what is on its list, with a reason, and of nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.golden_lists import Accusation, accusations, change, golden, text, undecided
from tests.interop.mail_system import Accounts, MailSystem

SERVERS = ("postfix", "exim", "aiosmtpd", "dovecot")
LIMIT_S = 300
OURS = (91, 92, 93)      # accounts of these tests alone: what the cases leave is no mail that other tests can read


def declared(name: str, system: MailSystem, accounts: Accounts) -> str:
    """Return what an operator would declare about one of our servers, as TOML."""
    first = [accounts.address(OURS[0]), accounts.password(OURS[0])]
    lines = [
        *([f'maildir = "{system.maildrops}/everyone"'] if name == "aiosmtpd" else []),
        "[addresses]",
        f"accepted = {[accounts.address(n) for n in OURS]}",
        *([] if name == "aiosmtpd" else ['rejected = ["nobody@example.test"]']),
        'foreign = ["someone@elsewhere.invalid"]',
        "[accounts]",
        f"pop3 = {[[f'user{n}', accounts.password(n)] for n in OURS]}",
        *([f"smtp = [{first}]"] if name in {"postfix", "exim"} else []),
        "[allow]\nleave_mail = true\ndestroy_mail = true",
        "[timers]\ndelivery = 15.0",
    ]
    return "\n".join(lines)


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_accused_of_what_its_list_says(
    request: pytest.FixtureRequest, accounts: Accounts, tmp_path: Path, name: str
) -> None:
    system: MailSystem = request.getfixturevalue(name)
    (tmp_path / "declared.toml").write_text(declared(name, system, accounts), encoding="utf-8")
    targets = [url for url in (system.smtp or system.lmtp, system.pop3) if url is not None]
    # Its mail is read by Dovecot's POP3, which is judged once, by test_conform_pop3.
    holds_to_its_list(name, tmp_path, *targets, "--skip", "pop3.*")


def holds_to_its_list(name: str, place: Path, *arguments: str) -> None:
    """Judge a server as `declared.toml` in a directory has it, and hold what it is accused of against its list."""
    command = [sys.executable, "-m", "mailproof", "conform", *arguments, "--options", str(place / "declared.toml")]
    done = subprocess.run(
        [*command, "--out", str(place / "out")], capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    result = place / "out" / "result.json"
    assert result.exists(), done.stdout + done.stderr
    known, found, open_ = golden(name), accusations(result), undecided(result)
    changed = list(change(known, found, open_).lines())
    assert changed == [], f"{len(changed)} changes; {done.stdout}"
    listed = {id_ for each in known for id_ in each.cases}
    assert len(listed & open_) < len(listed) / 20, "a busy machine leaves some open, and not all"


@pytest.mark.parametrize("name", SERVERS)
def test_every_accusation_has_its_reason(name: str) -> None:
    assert golden(name)
    assert [each.cases for each in golden(name) if len(each.why) < 20] == []
    assert [each.cases for each in golden(name) if each.verdict == "error"] == []


KNOWN = (Accusation(verdict="fail", cases=("smtp.a", "smtp.b#x"), why="It is so in the second chapter."),)


def test_a_change_says_what_is_new_gone_or_other() -> None:
    changed = change(KNOWN, {"smtp.b#x": "weak", "smtp.c": "fail"})
    assert list(changed.lines()) == ["+ fail smtp.c", "- fail smtp.a", "~ smtp.b#x: fail, now weak"]


def test_what_comes_at_times_may_be_missing() -> None:
    known = (Accusation(verdict="weak", cases=("smtp.a",), at_times=True, why="It hangs on how busy the machine is."),)
    assert list(change(known, {}).lines()) == list(change(known, {"smtp.a": "weak"}).lines()) == []
    assert list(change(known, {"smtp.a": "fail"}).lines()) == ["~ smtp.a: weak, now fail"]
    assert "at_times = true" in text(known, {})


def test_what_a_run_left_open_is_not_gone() -> None:
    assert list(change(KNOWN, {"smtp.a": "fail"}, {"smtp.b#x"}).lines()) == []
    assert list(change(KNOWN, {"smtp.a": "fail"}, {"smtp.z"}).lines()) == ["- fail smtp.b#x"]


def test_what_stays_keeps_its_reason_when_a_list_is_written_again(tmp_path: Path) -> None:
    written = text(KNOWN, {"smtp.a": "fail", "smtp.c#1": "fail", "smtp.c#2": "fail"})
    assert written.count("[[accusation]]") == 2
    assert 'cases = [\n    "smtp.a",\n]\nwhy = "It is so in the second chapter."' in written
    assert 'cases = [\n    "smtp.c#1",\n    "smtp.c#2",\n]\nwhy = ""' in written
