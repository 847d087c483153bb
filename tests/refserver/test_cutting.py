"""How TCP cuts the octets does not matter to what a machine answers and stores."""

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.smtp import SmtpSession
from tests.refserver.bench import make_bench

SMTP_WORDS = [
    b"EHLO c.example\r\n", b"HELO c.example\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<user1@example.test>\r\n",
    b"RCPT TO:<nobody@example.test>\r\n", b"DATA\r\n", b"A: b\r\n\r\n..x\r\n", b".\r\n", b"BDAT 5\r\n.\r\nab",
    b"BDAT 0 LAST\r\n", b"RSET\r\n", b"NOOP\r\n", b"AUTH PLAIN\r\n", b"*\r\n", b"AHVzZXIxAHNlY3JldDE=\r\n", b"\n",
    b"\r", b"\r\n", b"x" * 3000 + b"\r\n", b"QUIT\r\n", b"\n.\n", b"\r\n.\r\r\n",
]
POP3_WORDS = [
    b"USER user1\r\n", b"PASS secret1\r\n", b"STAT\r\n", b"LIST\r\n", b"RETR 1\r\n", b"TOP 2 1\r\n", b"DELE 1\r\n",
    b"UIDL\r\n", b"RSET\r\n", b"NOOP\r\n", b"CAPA\r\n", b"AUTH PLAIN\r\n", b"*\r\n", b"x" * 300 + b"\r\n", b"\n", b"\r",
    b"QUIT\r\n",
]


def pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


def run(session: SmtpSession | Pop3Session, octets: list[bytes]) -> bytes:
    said = []
    for piece in octets:
        said.append(session.receive(piece))
        while session.more:
            said.append(session.receive(b""))
    return b"".join(said)


def sequences(words: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.one_of(st.sampled_from(words), st.binary(max_size=6)), max_size=25)


CUTS = st.lists(st.integers(0, 10_000), max_size=12)
TRANSACTION = SMTP_WORDS[2:4] + SMTP_WORDS[5:8]


@given(words=sequences(SMTP_WORDS), cuts=CUTS)
@example(words=[SMTP_WORDS[0], *TRANSACTION, *TRANSACTION, b"NOOP\r\n"], cuts=list(range(200)))
@example(words=[SMTP_WORDS[0], *SMTP_WORDS[2:4], *SMTP_WORDS[8:10], b"NOOP\r\n"], cuts=list(range(200)))
def test_an_smtp_session_answers_and_stores_the_same_however_it_is_cut(words: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(words)
    whole, cut, single = make_bench(), make_bench(), make_bench()
    expected = run(whole.smtp(hello=False), [octets])
    assert run(cut.smtp(hello=False), pieces(octets, cuts)) == expected
    assert run(single.smtp(hello=False), [octets[n:n + 1] for n in range(len(octets))]) == expected
    assert whole.contents() == cut.contents() == single.contents()


@given(words=sequences(POP3_WORDS), cuts=CUTS)
def test_a_pop3_session_answers_and_removes_the_same_however_it_is_cut(words: list[bytes], cuts: list[int]) -> None:
    octets = b"USER user1\r\nPASS secret1\r\n" + b"".join(words)
    benches = [make_bench(), make_bench(), make_bench()]
    for bench in benches:
        bench.deliver(b"A: b\r\n\r\n.one\r\n", 1)
        bench.deliver(b"A: b\r\n\r\n.\r\ntwo\r\n", 1)
    ways = [[octets], pieces(octets, cuts), [octets[n:n + 1] for n in range(len(octets))]]
    said = [run(bench.pop3(), way) for bench, way in zip(benches, ways, strict=True)]
    assert said[0] == said[1] == said[2]
    assert benches[0].stored() == benches[1].stored() == benches[2].stored()


@given(lines=st.lists(st.binary(max_size=40).filter(lambda line: b"\r" not in line and b"\n" not in line)), cuts=CUTS)
def test_what_is_stuffed_is_stored_unstuffed_and_retrieved_stuffed_again(lines: list[bytes], cuts: list[int]) -> None:
    bench = make_bench()
    wire = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    content = b"".join(line + b"\r\n" for line in lines)
    session = bench.smtp()
    session.receive(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n")
    assert run(session, pieces(wire + b".\r\n", cuts)).startswith(b"250 ")
    if b"return-path" not in content.lower():
        assert bench.contents() == [content]
    assert bench.pop3(1).receive(b"RETR 1\r\n").partition(b" +0000\r\n")[2] == wire + b".\r\n"
