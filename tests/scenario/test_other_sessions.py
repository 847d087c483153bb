"""The kinds that probe and bother: what a file may say of them, and what it may not."""

import pytest

from loadgen.scenario.draft import kind_of
from tests.scenario.test_check import LOCAL, loaded, problems, session

KINDS = (
    "smtp-probe", "rset-loop", "auth-storm", "slow-sender", "slow-reader", "half-open", "reset-in-data", "pop3-contend",
)  # fmt: skip
POP3 = {"slow-reader", "pop3-contend"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_needs_no_more_than_its_name(kind: str) -> None:
    (read,) = loaded(target=LOCAL, session=session(kind)).sessions
    assert (kind_of(read), read.name) == (kind, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_needs_the_server_it_speaks_to(kind: str) -> None:
    protocol = "pop3" if kind in POP3 else "smtp"
    servers = {name: url for name, url in LOCAL.items() if name != protocol}
    (sentence,) = problems(target=servers, session=session(kind))
    assert f"{kind} needs a" in sentence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (session("smtp-probe", loops=0), "session[0].loops: got 0, expected numbers from 1 to 1000000"),
        (session("smtp-probe", commands=["nop"]),
            'session[0].commands[0]: got "nop", expected one of ehlo, noop, rset, vrfy; did you mean `noop`?'),
        (session("smtp-probe", commands=[]), "session[0].commands: got [], expected at least 1 of one of ehlo, "),
        (session("rset-loop", loops=0), "session[0].loops: got 0, expected numbers from 1 to 1000000"),
        (session("rset-loop", recipients=101),
            "session[0].recipients: up to 101 different recipients, but there are only 100 accounts"),
        (session("rset-loop", recipients=0), "session[0].recipients: got 0, expected numbers from 1 to 10000"),
        (session("rset-loop", reverse_path="nobody"), 'session[0].reverse_path: got "nobody", expected an address'),
        (session("slow-sender", reverse_path="a b@c"), 'session[0].reverse_path: got "a b@c", expected an address'),
        (session("reset-in-data", reverse_path="<>"), 'session[0].reverse_path: got "<>", expected an address'),
        (session("auth-storm", auth="user"),
            "session[0].auth: user is a POP3 login, and this session speaks SMTP"),
        (session("auth-storm", auth="none"), 'session[0].auth: got "none", expected one of apop, cram-md5, '),
        (session("auth-storm", wrong=1.5), "session[0].wrong: got 1.5, expected a number from 0 to 1"),
        (session("slow-sender", octets_per_s=0), "session[0].octets_per_s: got 0, expected a whole number from 1 to "),
        (session("slow-reader", pause="0s"), 'session[0].pause: got "0s", expected more than zero'),
        (session("slow-reader", window=0), "session[0].window: got 0, expected at least 1 octet"),
        (session("slow-reader", protocol="smtp"),
            "session[0].auth: user is a POP3 login, and this session speaks SMTP; say auth = \"none\", or a SASL"),
        (session("slow-reader", auth="none"), "session[0].auth: without a login there is no maildrop to read"),
        (session("half-open", protocol="pop3", after="ehlo"),
            "session[0].after: EHLO is SMTP, and this session speaks POP3"),
        (session("half-open", after="starttls"),
            'session[0].after: the target has no TLS that begins inside the session; say target.tls = "starttls"'),
        (session("smtp-deliver", chunk=0), "session[0].chunk: got 0, expected at least 1 octet"),
        (session("lmtp-deliver", chunking="always"),
            'session[0].chunking: got "always", expected one of if-offered, never'),
        (session("reset-in-data", sent=-0.1), "session[0].sent: got -0.1, expected a number from 0 to 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_gets_its_sentence(said: list[dict[str, object]], sentence: str) -> None:
    (problem,) = problems(session=said)
    assert sentence in problem


@pytest.mark.parametrize("kind", ["slow-sender", "reset-in-data"])
def test_the_ledger_has_something_to_verify_in_it(kind: str) -> None:
    assert loaded(target=LOCAL, session=session(kind), ledger={"verify": True}).ledger.verify
    (sentence,) = problems(target=LOCAL, session=session("smtp-probe"), ledger={"verify": True})
    assert sentence == "ledger.verify: no session delivers anything"
