"""The switch CI relies on: where real servers are required, a test that skipped has not passed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("required", "status"), [("", OK), ("1", FAILED)])
def test_a_skip_is_a_failure_only_where_interop_is_required(
    tmp_path: Path, required: str, status: pytest.ExitCode
) -> None:
    (tmp_path / "test_skipped.py").write_text("import pytest\ndef test_it(): pytest.skip('no server here')\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.interop.conftest", "test_skipped.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "MAILPROOF_REQUIRE_INTEROP": required},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == status, ran.stdout
    assert ("no server here" in ran.stdout) == (required == "1"), ran.stdout
