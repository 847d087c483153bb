"""Whole chains: honest ones are accused of nothing, and of each forged one is said what gives it away."""

from pathlib import Path
from typing import Final

import pytest

from conformance.trace.audit import Audit, Outcome, audit
from conformance.trace.dns_facts import DnsFacts
from conformance.trace.hop import chain_of
from conformance.trace.host import Address, address_of
from conformance.trace.remark import Weight
from conformance.trace.trust import trust_in
from conformance.trace.words import conclusion, in_words

HERE: Final = Path(__file__).parent
HONEST: Final = sorted(path.stem for path in (HERE / "honest").glob("*.eml"))
UNCONNECTED: Final = sorted(path.stem for path in (HERE / "unconnected").glob("*.eml"))
NOW_S: Final = 1_768_000_000            # 9 January 2026, 23:06:40 UTC
OWN: Final = (".reader.example", "reader.example")

# What may be remarked on in an honest one: a hoster's generic name, a clock that is an hour fast, hosts that are known
# by their address alone.
DOUBTS: Final = {
    "postfix-local": [(1, "helo"), (2, "adjacency")], "one-wrong-clock": [(1, "time")],
    "inside-by-address": [(3, "adjacency")],
}

# What has to be said of a forged chain: the line, the weight, the kind.
FORGED: Final = {
    "all-times-invented": {(1, "contradiction", "time")},
    "below-the-break": {(2, "break", "adjacency")},
    "forged-bank": {(1, "doubt", "helo"), (2, "break", "adjacency")},
    "impossible-addresses": {(1, "contradiction", "address"), (2, "contradiction", "address")},
    "impossible-dates": {
        (1, "contradiction", "date"), (2, "contradiction", "date"), (3, "contradiction", "date"),
        (1, "doubt", "delay"), (2, "doubt", "delay"),
    },
    "in-the-future": {(1, "contradiction", "future")},
    "lying-literal": {(1, "doubt", "helo")},
    "may-be-forged": {(1, "doubt", "pair")},
    "no-by": {(2, "break", "no-by")},
    "no-dates": {(1, "doubt", "date"), (2, "doubt", "date")},
    "nobody-known": {(2, "break", "adjacency")},
    "own-server-named-below": {(2, "break", "adjacency")},
    "private-in-the-middle": {(2, "doubt", "private")},
    "qmail-lie": {(2, "doubt", "helo"), (3, "break", "adjacency")},
    "the-same-twice": {(2, "doubt", "twice"), (2, "break", "adjacency")},
    "the-slow-one": {(1, "doubt", "delay")},
    "time-backwards": {(1, "contradiction", "time")},
    "wrong-way-round": {(1, "contradiction", "order")},
}  # fmt: skip


def audit_of(kind: str, name: str, *trusted: str, dns: DnsFacts | None = None) -> Audit:
    message = (HERE / kind / f"{name}.eml").read_bytes()
    return audit(chain_of(message), now_s=NOW_S, trust=trust_in(trusted), dns=dns or DnsFacts())


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_chain_is_accused_of_nothing(name: str) -> None:
    found = audit_of("honest", name)
    assert found.outcome is Outcome.HOLDS
    assert [(remark.line, remark.kind) for remark in found.remarks] == DOUBTS.get(name, [])


def test_every_forged_chain_is_in_the_table() -> None:
    assert set(FORGED) == {path.stem for path in (HERE / "forged").glob("*.eml")}


@pytest.mark.parametrize("name", FORGED)
def test_of_a_forged_chain_is_said_what_gives_it_away(name: str) -> None:
    found = audit_of("forged", name)
    assert {(remark.line, str(remark.weight), remark.kind) for remark in found.remarks} == FORGED[name]


@pytest.mark.parametrize("name", UNCONNECTED)
def test_an_honest_chain_with_a_gap_breaks_and_contradicts_nothing(name: str) -> None:
    found = audit_of("unconnected", name)
    assert found.outcome is Outcome.BREAKS
    assert Weight.CONTRADICTION not in {remark.weight for remark in found.remarks}


def known(text: bytes) -> Address:
    address = address_of(text)
    assert address is not None
    return address


def test_the_dns_can_connect_what_the_lines_alone_do_not() -> None:
    address = known(b"192.0.2.10")
    dns = DnsFacts({"mail.sender.example": (address,)}, {address: ("vps-10.hoster.example",)})
    found = audit_of("unconnected", "generic-name", dns=dns)
    assert found.outcome is Outcome.HOLDS


def test_the_dns_can_show_that_a_name_is_not_that_of_the_address() -> None:
    dns = DnsFacts({"mail.bank.example": (known(b"203.0.113.4"),)})
    found = audit_of("forged", "forged-bank", dns=dns)
    pairs = [remark.sentence for remark in found.remarks if remark.kind == "pair"]
    assert pairs == ["mail.bank.example and [198.51.100.77] do not match: today the name has 203.0.113.4"]


BELIEVED: Final = {
    "amavis": 3, "carrier-grade": 1, "cyrus": 2, "dovecot-lmtp": 3, "exchange": 4, "exim": 1, "mailing-list": 1,
    "postfix": 2, "qmail": 2, "qmail-relay": 3, "sendmail": 1, "fetchmail": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", BELIEVED)
def test_the_lines_of_the_readers_own_servers_are_believed_and_no_others(name: str) -> None:
    assert audit_of("honest", name, *OWN).believed == BELIEVED[name]


def test_a_line_in_the_name_of_an_own_server_is_not_believed_below_a_strangers() -> None:
    found = audit_of("forged", "own-server-named-below", "mx.reader.example")
    assert found.believed == 1
    said = "\n".join(in_words(found))
    assert "it names a server of yours, but the line above has the message from elsewhere" in said
    assert "Line 1 can be believed, because your own servers wrote it" in said


def test_a_name_that_a_stranger_gave_himself_is_not_trusted() -> None:
    message = (
        b"Received: from relay.reader.example (unknown [198.51.100.77]) by mx.reader.example; "
        b"Mon, 5 Jan 2026 10:00:00 +0000\r\n"
        b"Received: from bank.example (bank.example [203.0.113.4]) by relay.reader.example; "
        b"Mon, 5 Jan 2026 09:00:00 +0000\r\n\r\n"
    )
    assert audit(chain_of(message), now_s=NOW_S, trust=trust_in(OWN)).believed == 1
    own_address = trust_in([*OWN, "198.51.100.0/24"])
    assert audit(chain_of(message), now_s=NOW_S, trust=own_address).believed == 2


def test_without_a_server_named_no_line_is_proved_and_that_is_said() -> None:
    found = audit_of("honest", "amavis")
    assert found.believed == 0
    assert conclusion(found) == (
        "No line can be proved: name your own servers with --trust HOST. The newest is as good as whoever gave you the "
        "message; if mx.reader.example is yours, it came from out.sender.example [192.0.2.10]. "
        "Nothing in it contradicts itself."
    )


def test_that_none_of_the_servers_named_wrote_the_newest_line_is_said() -> None:
    found = audit_of("honest", "postfix", "mx.elsewhere.example")
    assert conclusion(found).startswith("No line can be believed: mx.reader.example, which wrote the newest, is none")


def test_a_message_without_trace_says_so() -> None:
    found = audit(chain_of(b"From: a\r\n\r\n"), now_s=NOW_S)
    assert found.outcome is Outcome.NOTHING
    assert list(in_words(found)) == ["There is no Received line: nothing says where the message came from."]
