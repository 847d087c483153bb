"""What messages need of a target is said before the load: one sentence, and an end where none could be sent."""

from pathlib import Path
from typing import Any

import pytest
import trio

from conformance.refserver.behaviour import Behaviour, Extension
from loadgen.engine.content_check import content_notes
from loadgen.engine.preflight import KEYWORDS_MAX, logins_used, look_at
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from reports.document import EndpointFacts
from reports.errors import PreconditionFailed
from reports.exit_codes import ExitCode
from tests.engine.house import House
from tests.engine.looking import USER

PLAIN = b"Subject: a\r\n\r\na\r\n"
EIGHT_BIT = "Subject: b\r\n\r\nGrüße\r\n".encode()
UTF8 = "Subject: Grüße\r\n\r\na\r\n".encode()


def scenario(directory: Path = Path(), pattern: str = "user{n}@example.test", **session: Any) -> Scenario:
    data = {
        "scenario": {"name": "s"}, "accounts": {"count": 10, "pattern": pattern},
        "load": {"model": "closed", "virtual_users": 1, "sessions": 1},
        "session": [{"kind": "smtp-deliver", "name": "intl", **session}, {"kind": "pop3-retrieve"}],
    }  # fmt: skip
    return scenario_from(data, name="s.toml", directory=directory, environ={})


def corpus(directory: Path, *contents: bytes) -> dict[str, str]:
    for number, content in enumerate(contents):
        (directory / f"{number}.eml").write_bytes(content)
    return {"corpus": str(directory)}


def facts(*keywords: str) -> EndpointFacts:
    return EndpointFacts(protocol="smtp", url="smtp://127.0.0.1:2525", keywords=keywords)


ALL = facts("PIPELINING", "8bitmime", "SMTPUTF8")


@pytest.mark.parametrize(
    ("content", "keywords", "missing"),
    [
        ("8bit", (), "8BITMIME"), ("8bit", ("SMTPUTF8",), "8BITMIME"), ("smtputf8", ("8BITMIME",), "SMTPUTF8"),
        ("smtputf8", ("SMTPUTF8 x",), "8BITMIME"),
    ],
)  # fmt: skip
def test_where_no_message_could_be_sent_the_run_does_not_begin(
    content: str, keywords: tuple[str, ...], missing: str
) -> None:
    with pytest.raises(PreconditionFailed) as raised:
        content_notes(scenario(content=content), [facts(*keywords)])
    assert str(raised.value).startswith(f"smtp://127.0.0.1:2525: does not offer {missing}, and no message of session ")
    assert "'intl'" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize("content", ["text", "mime", "8bit", "smtputf8"])
def test_there_is_nothing_to_say_where_all_is_offered(content: str) -> None:
    assert content_notes(scenario(content=content), [ALL]) == []


@pytest.mark.parametrize("content", ["text", "mime"])
def test_what_needs_nothing_is_sent_to_any_server(content: str) -> None:
    assert content_notes(scenario(content=content), [facts()]) == []


@pytest.mark.parametrize("given", [{"reverse_path": "grüße@example.test"}, {"pattern": "grüße{n}@example.test"}])
def test_an_address_beyond_ascii_needs_smtputf8(given: dict[str, Any]) -> None:
    with pytest.raises(PreconditionFailed, match="does not offer SMTPUTF8"):
        content_notes(scenario(**given), [facts("8BITMIME")])


def test_of_a_corpus_it_is_said_how_many_cannot_be_sent(tmp_path: Path) -> None:
    mixed = scenario(content=corpus(tmp_path, PLAIN, EIGHT_BIT, UTF8, EIGHT_BIT))
    eight, utf8 = content_notes(mixed, [facts()])
    assert "8BITMIME, which 2 of the 4 messages of session 'intl' need: those are not sent" in eight
    assert "SMTPUTF8, which 1 of the 4 messages of session 'intl' needs" in utf8
    assert content_notes(mixed, [ALL]) == []


def test_a_corpus_that_needs_it_throughout_is_not_begun_with(tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed, match="8BITMIME"):
        content_notes(scenario(content=corpus(tmp_path, EIGHT_BIT)), [facts("SMTPUTF8")])


def test_line_ends_that_were_changed_are_told(tmp_path: Path) -> None:
    changed = corpus(tmp_path, PLAIN.replace(b"\r\n", b"\n"), PLAIN)
    [note] = content_notes(scenario(content=changed), [ALL])
    assert note == f"corpus {tmp_path}: 3 line ends were made CRLF, as mail must have them (RFC 5321 §2.3.8)"
    [note] = content_notes(scenario(content=corpus(tmp_path, PLAIN[:-2])), [ALL])
    assert "1 line end was made CRLF" in note


def test_a_session_without_weight_and_a_server_not_seen_ask_nothing() -> None:
    assert content_notes(scenario(content="8bit", weight=0), [facts()]) == []
    assert content_notes(scenario(content="8bit"), []) == [], "the look was interrupted"


def test_a_server_that_offers_more_than_is_kept_is_not_accused() -> None:
    assert content_notes(scenario(content="8bit"), [facts(*["X-MANY"] * KEYWORDS_MAX)]) == []


async def test_what_a_look_at_a_real_server_brings_is_what_is_judged(nursery: trio.Nursery) -> None:
    without = Behaviour(extensions=frozenset(Extension) - {Extension.EIGHT_BIT_MIME})
    wanted = scenario(content="8bit")
    for behaviour, refused in ((Behaviour(), False), (without, True)):
        routes = House(nursery, behaviour=behaviour).routes()
        seen = await look_at(routes, logins_used(wanted), (USER,), stop=trio.Event())
        if refused:
            with pytest.raises(PreconditionFailed, match="8BITMIME"):
                content_notes(wanted, seen)
        else:
            assert content_notes(wanted, seen) == []
