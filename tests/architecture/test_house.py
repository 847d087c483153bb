"""The rules of the house that no linter knows. The never-arrows are import contracts in pyproject.toml."""

import ast
import re
import statistics
import sys
from collections.abc import Iterable

import pytest

from tests.architecture.source import Module, modules, tracked_texts

MODULES = list(modules())
COMMAND_LINE = {
    "mailproof.py",
    "loadgen/cli.py",
    "loadgen/repeat_cli.py",
    "loadgen/routing/cli.py",
    "loadgen/calibrate/cli.py",
    "loadgen/capacity/cli.py",
    "conformance/conform_cli.py",
    "conformance/doctor_cli.py",
    "conformance/matrix_cli.py",
    "conformance/pytest_run.py",
    "conformance/serve_cli.py",
    "conformance/sink_cli.py",
    "conformance/trace_cli.py",
    "reports/annotate_cli.py",
    "reports/ci_cli.py",
    "reports/cli.py",
    "reports/compare_cli.py",
    "reports/gate_cli.py",
    "reports/trend_cli.py",
}
WORKERS_ENTRY = "loadgen/engine/worker.py"
SOCKETS = {"socket", "ssl", "trio.socket", "trio.open_tcp_stream", "trio.SSLStream", "trio.SocketStream"}
LISTENERS = ("loadgen/transport/", "conformance/refserver/listener/", "conformance/refserver/server.py")


def names(found: Iterable[Module]) -> list[str]:
    return [module.name for module in found]


def test_there_is_a_house_to_look_at() -> None:
    assert {module.name.split("/")[0] for module in MODULES} >= {"loadgen", "conformance", "reports", "scenarios"}


def test_no_file_is_long_enough_to_scroll_for() -> None:
    lengths = {module.name: module.text.count("\n") for module in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
    assert statistics.median(lengths.values()) < 200


def test_no_function_is_longer_than_seventy_lines() -> None:
    long = [
        f"{module.name}:{node.lineno} {node.name}"
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 70
    ]
    assert long == []


def test_wire_imports_only_itself_and_the_standard_library() -> None:
    imported = {name for m in MODULES if m.name.startswith("loadgen/wire/") for name in m.imports}
    assert imported, "the wire is not where this test looks for it"
    strangers = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in strangers if not f"{name}.".startswith("loadgen.wire.")} == set()


def test_sockets_and_tls_are_named_only_where_connections_are_made() -> None:
    assert names(
        module
        for module in MODULES
        if not module.name.startswith(LISTENERS) and SOCKETS & (module.imports | module.dotted_names)
    ) == []


@pytest.mark.parametrize("name", ["print", "sys.exit", "os._exit", "SystemExit", "typer.Exit"])
def test_only_the_command_line_prints_and_exits(name: str) -> None:
    assert names(m for m in MODULES if m.name not in COMMAND_LINE and name in m.dotted_names | m.imports) == []


def test_trio_is_started_only_by_the_command_line_and_in_a_workers_entry() -> None:
    starters = names(m for m in MODULES if m.name not in COMMAND_LINE and "trio.run" in m.dotted_names | m.imports)
    assert starters == [WORKERS_ENTRY]


def test_nothing_shipped_imports_the_tests_or_benchmarks() -> None:
    assert names(
        m for m in MODULES if {"tests", "benchmarks", "pytest"} & {i.split(".")[0] for i in m.imports}
    ) == ["conformance/pytest_plugin.py"]       # which only pytest loads


# Written in pieces, so that this file may be searched like any other.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "deb." + "debian.org", "registry." + "npmjs", "crates" + ".io"]
MACHINE_PATHS = [rf"(?<![\w.$}}]){directory}/" for directory in ("/wo" + "rk", "/ro" + "ot", "/ho" + "me", "/o" + "pt")]


@pytest.mark.parametrize("pattern", [*map(re.escape, HOSTS), *MACHINE_PATHS])
def test_no_file_names_a_registry_host_or_a_path_of_one_machine(pattern: str) -> None:
    assert [name for name, text in tracked_texts() if re.search(pattern, text)] == []


def test_a_case_says_hello_in_the_dialect_of_its_server() -> None:
    """Cases of SMTP are put to LMTP servers too: `peer.hello_line` is EHLO here and LHLO there."""
    spelt_out = re.compile(r'b"EHLO\b')
    cases = [module for module in MODULES if module.name.startswith("conformance/cases/smtp/")]
    assert cases
    assert names(module for module in cases if spelt_out.search(module.text)) == []
