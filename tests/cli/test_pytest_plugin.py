"""The pytest plugin, as a server's own test suite would run it: pytest in pytest, against a reference server."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(90)     # real processes


def served(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "mailproof", "serve", "--smtp", "0", "--until-eof", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield json.loads(server.stdout.readline())["smtp"]
        server.stdin.close()


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    yield from served()


@pytest.fixture(scope="module")
def unlawful() -> Iterator[str]:
    """aiosmtpd, which takes mail for the null path."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    with subprocess.Popen(command) as server:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"smtp://127.0.0.1:{port}"
        server.terminate()


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments, timeout=80)


def test_each_case_is_a_test(pytester: pytest.Pytester, target: str) -> None:
    result = run(pytester, "--mailproof-target", target, "--mailproof-only", "smtp.rset.*", "-v")
    result.stdout.fnmatch_lines(["mailproof::smtp.rset.replies-250 PASSED*", "mailproof::every-reply PASSED*"])
    assert result.ret == pytest.ExitCode.OK


def test_they_stand_behind_the_servers_own_tests(pytester: pytest.Pytester, target: str) -> None:
    pytester.makepyfile("def test_of_the_server(): pass")
    result = run(pytester, "--mailproof-target", target, "--mailproof-only", "smtp.noop.replies-250", "-v")
    result.stdout.fnmatch_lines(["*::test_of_the_server PASSED*", "mailproof::smtp.noop.replies-250 PASSED*"])


def test_without_a_target_there_are_none(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_of_the_server(): pass")
    run(pytester).assert_outcomes(passed=1)


def test_what_gave_no_occasion_is_skipped_with_its_reason(pytester: pytest.Pytester, target: str) -> None:
    case = "smtp.vrfy.no-false-250#declared"
    result = run(pytester, "--mailproof-target", target, "--mailproof-only", case, "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs an address that the server rejects in the session*"])


def test_a_failed_case_is_a_failed_test_with_its_transcript(pytester: pytest.Pytester, unlawful: str) -> None:
    result = run(pytester, "--mailproof-target", unlawful, "--mailproof-only", "smtp.rcpt.null-path")
    result.assert_outcomes(passed=1, failed=1)
    told = ["expected  5yz to RCPT TO:<>", "got       250 OK *", "S: 220 *", "again     mailproof *"]
    result.stdout.fnmatch_lines(told)


def test_a_known_failure_is_an_expected_one(pytester: pytest.Pytester, unlawful: str) -> None:
    known = '[[known]]\nid = "smtp.rcpt.null-path"\nreason = "the handler takes all"\nexpires = 9999-01-01\n'
    pytester.path.joinpath("known.toml").write_text(known)
    chosen = ["--mailproof-only", "smtp.rcpt.null-path", "--mailproof-baseline", "known.toml"]
    result = run(pytester, "--mailproof-target", unlawful, *chosen, "-rx")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*known: the handler takes all*"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--mailproof-target", "http://x"], "mailproof: expected a URL such as smtp://"),
        (["--mailproof-target", "smtp://127.0.0.1:9", "--mailproof-only", "nothing.*"], "matches no case"),
        (["--mailproof-target", "smtp://127.0.0.1:9", "--mailproof-set", "1999.1"], "there is no requirement set 1999"),
    ],
)
def test_a_mistake_is_one_sentence(pytester: pytest.Pytester, arguments: list[str], sentence: str) -> None:
    result = run(pytester, *arguments)
    result.stderr.fnmatch_lines([f"*{sentence}*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
