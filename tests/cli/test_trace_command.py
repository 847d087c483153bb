"""`mailproof trace`, as it is typed."""

import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from mailproof import build_app
from reports.errors import UserError
from tests.routing.nameserver import Zone, nameserver_beside, zone

CHAINS: Final = Path(__file__).parents[1] / "conformance" / "trace"
HONEST, BROKEN, FORGED = (
    str(CHAINS / each) for each in ("honest/amavis.eml", "forged/below-the-break.eml", "forged/time-backwards.eml")
)


def trace(*arguments: str, given: bytes | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(build_app(), ["trace", *arguments], input=given)
    if isinstance(result.exception, UserError):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        ([HONEST], [], 0), ([BROKEN], [], 3), ([FORGED], [], 1), ([HONEST, BROKEN], [], 3), ([FORGED, BROKEN], [], 1),
        ([BROKEN], ["--strict"], 1), ([HONEST], ["--strict"], 0),
    ],
)  # fmt: skip
def test_the_exit_status_is_that_of_the_worst_message(files: list[str], options: list[str], code: int) -> None:
    assert trace(*files, *options)[0] == code


def test_a_message_from_standard_input_is_told_of_line_by_line() -> None:
    code, said = trace("-", "--trust", ".reader.example", given=Path(BROKEN).read_bytes())
    assert code == 3
    assert said.startswith("standard input: 3 Received lines, newest first; the trace does not hold together\n")
    assert "\n  1  mx.reader.example says: from dialup-77.isp.example [198.51.100.77], ESMTP, 2026-01-05 " in said
    assert "     believed: a server of yours wrote it\n" in said
    assert "The chain breaks above line 2: lines 2 to 3 may have been added by hand." in said


def test_every_message_of_a_mailbox_is_told_of(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(b"From a Thu\n" + Path(HONEST).read_bytes() + b"\nFrom b Fri\n" + Path(FORGED).read_bytes())
    code, said = trace(str(box), "--json")
    found = json.loads(said)
    assert code == 1
    assert [each["message"] for each in found] == [f"{box}, message 1", f"{box}, message 2"]
    assert [each["outcome"] for each in found] == ["holds together", "contradicts itself"]
    assert found[1]["lines"][0]["remarks"][0]["kind"] == "time"


def test_a_message_without_a_trace_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / "bare.eml").write_bytes(b"From: a@b.example\n\nhi\n")
    assert trace(str(tmp_path / "bare.eml"))[0] == 3


def test_names_and_addresses_are_asked_for_where_that_is_allowed() -> None:
    records: Zone = {
        "mail.sender.example A": ["192.0.2.10"],
        "10.2.0.192.in-addr.arpa PTR": ["vps-10.hoster.example."],
    }
    message = str(CHAINS / "unconnected" / "generic-name.eml")
    assert trace(message)[0] == 3
    with nameserver_beside(zone(records)) as ours:
        assert trace(message, "--resolve", "--nameserver", f"{ours.address}:{ours.port}")[0] == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "no mail message"), (b"\x7fELF\x00\x01", "no mail message"), (b"hello there\n", "no mail message"),
     (None, "cannot read .*: No such file")],
)  # fmt: skip
def test_what_is_no_message_is_refused_in_one_sentence(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        trace(str(file))


def test_a_server_that_cannot_be_one_is_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match="neither a host name, nor an address, nor a network"):
        trace(HONEST, "--trust", "my server")
