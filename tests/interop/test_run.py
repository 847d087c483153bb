"""`mailproof run` against real mail software: a hundred sessions, and every accepted message accounted for."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.interop.mail_system import MailSystem

CHECKOUT = Path(__file__).resolve().parents[2]
HELD, OPERATOR_ERROR, INCONCLUSIVE = 0, 2, 3
SESSIONS = 100
SCENARIO = """
[scenario]
name = "interop"

[target]
tls = "{tls}"
ca_file = "{ca_file}"

[accounts]
count = {accounts}

[load]
model = "open"
arrivals = [{{shape = "constant", rate = 50, for = "2s"}}]
drain = "30s"

[[session]]
kind = "{kind}"
weight = 4
messages = {{uniform = [1, 2]}}
recipients = {{uniform = [1, 2]}}
size = {{lognormal = {{median = "4 KiB", sigma = 1.0, max = "256 KiB"}}}}
pipelining = "if-offered"
auth = "{auth}"

[[gate]]
metric = "errors.share"
equals = 0
"""
RETRIEVAL = """
[[session]]
kind = "pop3-retrieve"
delete = true

[ledger]
verify = true
settle = "30s"
"""
TROUBLES = ("lost", "duplicate", "duplicate_lawful", "corrupt", "misdelivered", "ambiguous", "pending", "rejected")

Document = Mapping[str, Any]


def run(system: MailSystem, scenario: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the scenario against the system as a person would."""
    (directory / "interop.toml").write_text(scenario)
    urls = {"--smtp": system.smtp, "--lmtp": system.lmtp, "--pop3": system.pop3}
    command = [sys.executable, "-m", "mailproof", "run", "interop.toml", "--out", "out"]
    for option, url in urls.items():
        command += [option, url] if url is not None else []
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def result_of_a_run(system: MailSystem, scenario: str, directory: Path) -> Document:
    """Run, and return result.json; every verdict on the server must be a pass.

    Whether the run can be believed is about this machine: servers and generator share its cores, so a late timer
    is no failure here. The exit code must then say exactly that.
    """
    ran = run(system, scenario, directory)
    said = f"exit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    assert ran.returncode in {HELD, INCONCLUSIVE}, said
    document: Document = json.loads((directory / "out" / "result.json").read_text())
    judged_by = {"fast_enough"} if document["ledger"] is None else {"fast_enough", "correct"}
    assert {document["verdicts"][question] for question in judged_by} == {"pass"}, said
    assert ran.returncode == (HELD if document["verdicts"]["valid"] == "pass" else INCONCLUSIVE), said
    return document


def written_for(system: MailSystem, *, kind: str = "smtp-deliver", tls: str = "none", auth: str = "none") -> str:
    """Return the scenario; it reads the maildrops, and holds the ledger against them, where the system has POP3."""
    scenario = SCENARIO.format(
        tls=tls, ca_file=system.ca_file, accounts=system.accounts.count, kind=kind, auth=auth
    )
    return scenario + (RETRIEVAL if system.pop3 is not None else "")


def assert_books_balance(document: Document) -> None:
    sessions = dict(document["load"]["sessions"])
    arrived = sessions.pop("arrived")
    assert sum(sessions.values()) == arrived
    assert sessions["accepted"] == arrived == SESSIONS
    messages = document["load"]["messages"]
    assert messages["offered"] == messages["accepted"] >= SESSIONS // 2


def assert_nothing_is_lost(document: Document) -> None:
    ledger = document["ledger"]
    assert ledger["accepted"] == ledger["delivered_once"] >= document["load"]["messages"]["accepted"]
    assert {name: ledger[name] for name in TROUBLES if ledger[name] != 0} == {}


@pytest.mark.parametrize("server", ["postfix", "exim"])
@pytest.mark.parametrize(("tls", "auth"), [("none", "none"), ("none", "cram-md5"), ("starttls", "plain")])
def test_smtp_delivers_and_pop3_retrieves_every_message_once(
    server: str, tls: str, auth: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    document = result_of_a_run(system, written_for(system, tls=tls, auth=auth), tmp_path)
    assert_books_balance(document)
    assert_nothing_is_lost(document)
    assert [facts["tls"] is not None for facts in document["target"]] == [tls != "none"] * 2


@pytest.mark.parametrize("server", ["postfix", "exim"])
def test_implicit_tls_delivers_and_retrieves_every_message_once(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    system = replace(system, smtp=system.smtps, pop3=system.pop3s)
    document = result_of_a_run(system, written_for(system, tls="implicit"), tmp_path)
    assert_books_balance(document)
    assert_nothing_is_lost(document)
    assert all(facts["tls"]["verified"] for facts in document["target"])


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_lmtp_delivers_and_pop3_retrieves_every_message_once(
    dovecot: MailSystem, tls: str, tmp_path: Path
) -> None:
    document = result_of_a_run(dovecot, written_for(dovecot, kind="lmtp-deliver", tls=tls), tmp_path)
    assert_books_balance(document)
    assert_nothing_is_lost(document)


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_aiosmtpd_keeps_as_many_messages_as_it_accepted(aiosmtpd: MailSystem, tls: str, tmp_path: Path) -> None:
    assert aiosmtpd.maildrops is not None
    kept = aiosmtpd.maildrops / "everyone" / "new"
    before = len(list(kept.iterdir()))
    document = result_of_a_run(aiosmtpd, written_for(aiosmtpd, tls=tls), tmp_path)
    assert_books_balance(document)
    assert len(list(kept.iterdir())) - before == document["load"]["messages"]["accepted"]


def test_a_wrong_password_is_the_operators_to_mend(postfix: MailSystem, tmp_path: Path) -> None:
    scenario = written_for(postfix, auth="plain").replace("[accounts]", '[accounts]\npassword = "wrong"')
    ran = run(postfix, scenario, tmp_path)
    assert ran.returncode == OPERATOR_ERROR
    assert "user1@example.test" in ran.stderr
    assert "Traceback" not in ran.stderr
