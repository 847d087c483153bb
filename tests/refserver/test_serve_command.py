"""`serve` as a process: the ready line, both ways to end it, and the operator's mistakes."""

import json
import poplib
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
import typer

from conformance.serve_cli import register
from reports.errors import UserError

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, typer
from conformance.serve_cli import register
from reports.errors import UserError
app = typer.Typer()
app.callback()(lambda: None)
register(app)
try:
    app()
except UserError as exc:
    print(exc, file=sys.stderr)
    sys.exit(exc.exit_code)
"""


@contextmanager
def server(*options: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, "serve", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def piped(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_the_ready_line_tells_where_everything_is_and_sigterm_ends_it(tmp_path: Path) -> None:
    options = ["--smtp=0", "--pop3=0", "--smtps=0", "--pop3s=0", f"--lmtp=unix:{tmp_path}/lmtp"]
    options += [f"--maildir={tmp_path}/box"]
    options += ["--domain=mail.test", "--domain=example.test", "--accounts=u{n}@example.test", "--account-count=2"]
    with server(*options, "--password=pw{n}", f"--ca-file={tmp_path}/ca.pem", "--max-size=100000") as process:
        ready = json.loads(piped(process.stdout).readline())
        assert ready["ready"] is True
        assert ready["pid"] == process.pid
        assert set(ready) == {"ready", "pid", "smtp", "lmtp", "pop3", "smtps", "pop3s", "ca_file"}
        assert ready["lmtp"] == f"lmtp+unix://{tmp_path}/lmtp"
        context = ssl.create_default_context(cafile=ready["ca_file"])
        with smtplib.SMTP("127.0.0.1", port(ready["smtp"]), local_hostname="c.example") as client:
            client.starttls(context=context)
            client.login("u2", "pw2")
            assert client.esmtp_features["size"] == "100000"
            client.sendmail("", ["u1@example.test"], b"A: b\r\n\r\n")
        pop3 = poplib.POP3_SSL("127.0.0.1", port(ready["pop3s"]), context=context)
        pop3.apop("u1@example.test", "pw1")
        assert pop3.stat()[0] == 1
        pop3.quit()
        assert len(list((tmp_path / "box" / "u1@example.test" / "new").iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert piped(process.stderr).read() == ""
    assert not (tmp_path / "lmtp").exists()


def test_it_ends_when_standard_input_closes() -> None:
    with server("--smtp=0", "--until-eof", stdin=subprocess.PIPE) as process:
        assert json.loads(piped(process.stdout).readline())["smtp"].startswith("smtp://127.0.0.1:")
        piped(process.stdin).close()
        assert process.wait(5) == 0


def mistakes(tmp_path: Path) -> dict[str, list[str]]:
    return {
        "nothing to serve": [],
        "neither a port nor unix:PATH": ["--lmtp=here"],
        "has no {n}": ["--smtp=0", "--accounts=user@example.test", "--account-count=2"],
        "outside the served domains": ["--smtp=0", "--domain=other.test"],
        "belong together": ["--smtp=0", f"--tls-cert={tmp_path}/cert"],
        "cannot use certificate": ["--smtp=0", f"--tls-cert={tmp_path}/cert", f"--tls-key={tmp_path}/key"],
        "cannot write the CA": ["--smtp=0", f"--ca-file={tmp_path}/no/ca.pem"],
        "cannot keep maildrops": ["--smtp=0", "--maildir=/proc/nowhere"],
        "there are greylisting[=5m], tempfail[=0.1], ": ["--smtp=0", "--variant=greylisted"],
        "is not DOMAIN=HOST:PORT": ["--smtp=0", "--route=sink.test"],
        "no address of this host": ["--smtp=0", "--host=192.0.2.1"],
    }


@pytest.mark.parametrize("sentence", mistakes(Path("/nonexistent")))
def test_an_operators_mistake_is_one_sentence(sentence: str, tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    with pytest.raises(UserError, match=re.escape(sentence)) as caught:
        app(["serve", *mistakes(tmp_path)[sentence]], standalone_mode=False)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_address_without_a_number_in_it_is_the_one_account_there_is() -> None:
    with server("--pop3=0", "--accounts=me@example.test", "--password=pw") as process:
        ready = json.loads(piped(process.stdout).readline())
        pop3 = poplib.POP3("127.0.0.1", port(ready["pop3"]), timeout=5)
        pop3.apop("me", "pw")
        pop3.quit()


def test_a_port_in_use_is_one_sentence_and_exit_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, server(f"--smtp={taken.getsockname()[1]}") as process:
        assert process.wait(8) == 2
        assert "another process uses it" in piped(process.stderr).read()


def test_variants_are_served_as_they_are_asked_for() -> None:
    with server("--smtp=0", "--variant=greylisting=1h", "--variant=tempfail") as process:
        urls = json.loads(piped(process.stdout).readline())
        with smtplib.SMTP("127.0.0.1", port(urls["smtp"]), timeout=5) as client:
            client.ehlo("client.example")
            client.mail("a@client.example")
            assert client.rcpt("user1@example.test") == (450, b"4.7.1 Greylisted, please try again later")
