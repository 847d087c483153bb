"""Where a scenario has the ledger look: what cannot be there, or would be counted twice, is said before the run."""

from pathlib import Path

import pytest

from tests.scenario.test_check import loaded, problems, session

TARGET = {"smtp": "smtp://127.0.0.1:25"}
READING = [*session(), *session("pop3-retrieve")]


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        (
            {"ledger": {"verify": True}, "target": TARGET},
            "ledger.verify: looks into the maildrops over POP3, and there is no POP3 server; add pop3 under "
            "[target], or give --pop3 URL",
        ),
        (
            {"ledger": {"maildir": "/srv/{local}"}, "target": TARGET},
            "ledger.maildir: nobody looks there without verify = true",
        ),
        (
            {"ledger": {"verify": True, "maildir": "/srv/mail"}, "target": TARGET},
            'ledger.maildir: got "/srv/mail", expected a path with {local} or {address}',
        ),
        (
            {"ledger": {"verify": True, "maildir": "/srv/{local}"}, "session": READING},
            "ledger.maildir: a session reads the maildrops by POP3, and the ledger otherwise: each copy would be found "
            "twice",
        ),
        (
            {"ledger": {"verify": True, "sink": "no-such-file"}, "target": TARGET},
            "ledger.sink: no such file: no-such-file; start mailproof sink --keep FILE first",
        ),
    ],
)
def test_what_cannot_be_meant_gets_its_sentence(sections: dict[str, object], sentence: str) -> None:
    assert problems(**sections) == [sentence]


def test_there_is_one_place_to_look(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.touch()
    ledger = {"verify": True, "maildir": "/srv/{local}", "sink": str(kept)}
    [problem] = problems(ledger=ledger, target=TARGET)
    assert problem.startswith("ledger.sink: mail is looked for in Maildirs or in what came to a sink")


def test_without_pop3_no_pop3_server_is_wanted() -> None:
    scenario = loaded(ledger={"verify": True, "maildir": "/srv/{local}"}, target=TARGET)
    assert scenario.ledger.verify
    assert not scenario.ledger.reads_pop3
