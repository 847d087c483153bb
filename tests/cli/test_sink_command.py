"""`mailproof sink`: what it refuses to start with, and a sink that keeps what a client of another make delivers."""

import json
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailproof import build_app
from reports.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fault", "loses=5"], "--fault is of a sink that keeps what it gets: add --keep FILE"),
        (["--keep", "{directory}/kept", "--fault", "eats=5"], "--fault eats: a sink has no such fault"),
        (["--keep", "{directory}/none/kept"], "--keep {directory}/none/kept: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    given = [argument.format(directory=tmp_path) for argument in arguments]
    done = CliRunner().invoke(build_app(), ["sink", *given])
    assert isinstance(done.exception, UserError)
    assert sentence.format(directory=tmp_path) in str(done.exception)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("client", [smtplib.SMTP, smtplib.LMTP])
def test_a_client_of_another_make_delivers_and_the_sink_tells_what_it_took(
    client: type[smtplib.SMTP], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "mailproof", "sink", "--until-eof", "--keep", kept, "--fault", "loses=2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as sink:  # fmt: skip
        assert sink.stdin is not None
        assert sink.stdout is not None
        host, _, port = json.loads(sink.stdout.readline())["lmtp"].removeprefix("lmtp://").partition(":")
        with client(host, int(port)) as connection:
            for number in range(3):
                connection.sendmail("a@example.test", ["b@example.test"], f"Subject: {number}\r\n\r\nx\r\n")
        sink.stdin.close()
        told = json.loads(sink.stdout.readline())
        assert sink.wait(10) == 0
    assert told == {"received": 3, "kept": 2, "faults": {"loses": 1}}
    lines = [json.loads(line) for line in kept.read_bytes().splitlines()]
    assert [line["recipient"] for line in lines] == ["b@example.test"] * 2
    assert lines[0]["at_ns"] <= lines[1]["at_ns"]
