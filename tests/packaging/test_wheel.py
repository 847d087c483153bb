"""What `pip install .` gives a stranger: everything a run needs, and nothing that is only ours. Needs no network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = {"loadgen", "conformance", "reports", "scenarios", "mailproof.py"}
COMPILER = shutil.which("cc") and Path(sysconfig.get_path("include"), "Python.h").exists()
SMALL = """
[scenario]
name = "small"
[load]
model = "closed"
virtual_users = 2
sessions = 4
[[session]]
kind = "smtp-deliver"
[ledger]
verify = true
"""
pytestmark = pytest.mark.timeout(120)  # the first test builds the wheel


def build_wheel(directory: Path, **environment: str) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(build, cwd=CHECKOUT, env={**os.environ, **environment}, check=True, capture_output=True)
    (built,) = directory.glob("*.whl")
    return built


def native_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.endswith(".so")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs' directory of a new environment that holds the wheel; dependencies are lent by ours."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    # A .pth file adds our packages but does not obey theirs, so the checkout itself stays out of reach.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "pattern",
    [
        "scenarios/*.toml", "scenarios/*.csv", "scenarios/*.log",
        "conformance/catalogue/*.toml", "conformance/catalogue/rows/*", "conformance/catalogue/sets/*",
        "reports/templates/*", "*/py.typed", "mailproof.py", "*/**/*.py",
    ],
)
def test_the_wheel_holds_every_file_of_the_packages(names: set[str], pattern: str) -> None:
    ours = {path.relative_to(CHECKOUT) for path in CHECKOUT.glob(pattern) if path.is_file()}
    wanted = {path.as_posix() for path in ours if path.parts[0] in SHIPPED}
    assert wanted
    assert wanted - names == set()


def test_the_wheel_holds_no_tests_and_no_benchmarks(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == SHIPPED


@pytest.mark.skipif(not COMPILER, reason="there is no C compiler, or it finds no headers of Python")
def test_the_wheel_holds_the_native_lane_and_the_installed_command_has_it(installed: Path, wheel: Path) -> None:
    assert len(native_in(wheel)) == 2
    assert "-none-any" not in wheel.name
    ask = "from loadgen.transport.native_lane import lane_in_words; print(lane_in_words())"
    assert run(installed / "python", "-I", "-c", ask, cwd=installed).stdout == "native\n"
    assert run(installed / "python", "-I", "-c", "import loadgen.session.mailing", cwd=installed).returncode == 0


def test_without_a_compiler_the_wheel_is_whole_and_says_which_lane_it_has(names: set[str], tmp_path: Path) -> None:
    pure = build_wheel(tmp_path, CC="false", MAILPROOF_NATIVE="")
    with zipfile.ZipFile(pure) as archive:
        there = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert there == {name for name in names if ".dist-info/" not in name and not name.endswith(".so")}
    assert pure.name.endswith("-py3-none-any.whl")
    ask = "from loadgen.transport.native_lane import lane_in_words; print(lane_in_words())"
    environment = {"PYTHONPATH": f"{pure}:{sysconfig.get_path('purelib')}"}
    asked = [sys.executable, "-S", "-c", ask]
    said = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("python: it was not built")


def test_a_build_that_must_have_the_native_lane_fails_without_it(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        build_wheel(tmp_path, CC="false", MAILPROOF_NATIVE="required")


def test_the_installed_command_runs_anywhere(installed: Path, tmp_path: Path) -> None:
    ran = run(installed / "mailproof", "--help", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "run" in ran.stdout.split()


def test_the_installed_command_runs_a_scenario_and_writes_its_report(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    ran = run(installed / "mailproof", "run", "small.toml", "--out", "here", cwd=tmp_path)
    assert ran.returncode in {0, 3}, ran.stderr  # 3: this machine was too busy to believe its times
    assert '"delivered_once": 4' in (tmp_path / "here" / "result.json").read_text()
    assert (tmp_path / "here" / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_the_installed_command_finds_the_shipped_scenarios(installed: Path, tmp_path: Path) -> None:
    ask = "import importlib.resources as r; print(*(f.name for f in r.files('scenarios').iterdir()))"
    shipped = run(installed / "python", "-I", "-c", ask, cwd=tmp_path).stdout.split()
    assert {path.name for path in (CHECKOUT / "scenarios").glob("*.toml")} <= set(shipped)
    assert "quickstart.toml" in shipped


def test_what_is_installed_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    ran = run(installed / "python", "-I", "-c", "import loadgen; print(loadgen.__file__)", cwd=tmp_path)
    assert Path(ran.stdout).is_relative_to(installed.parent)
