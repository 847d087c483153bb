"""The made-up sessions of the ledger's benchmark: what they are expected to come to is what the ledger finds."""

from pathlib import Path

import pytest

from benchmarks import ledger_rows


def test_every_class_is_counted_exactly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "READ_EVERY": 1_000, "ACCOUNTS": 100, "LOST_ONE_IN": 97, "TWICE_ONE_IN": 53, "CHANGED_ONE_IN": 101,
    }.items():  # fmt: skip
        monkeypatch.setattr(ledger_rows, name, value)
    told = ledger_rows.main(5_000, tmp_path)
    assert told["exact"] is True
    found = told["found"]
    assert isinstance(found, dict)
    assert found == ledger_rows.expected(5_000)
    assert found["lost"] > 40 < found["duplicate"]
    assert found["corrupt"] > 40
