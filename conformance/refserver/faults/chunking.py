"""Faults in BDAT: how chunks are counted, joined and answered (RFC 3030 §2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, out_of_order
from conformance.refserver.faults.smuggling import ENDS
from conformance.refserver.mail_data import ChunkReader
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import Reading, SmtpState, State

_BDAT: Final = b"BDAT"
_DOT_LINE: Final = re.compile(rb"\r\n\.\r\n.*", re.DOTALL)
_MANY: Final = 500
_LOOKALIKE: Final = re.compile(b"|".join(map(re.escape, (b"\r\n.\r\n", *ENDS.values()))))


class _Glued(ChunkReader):
    """Ends every chunk with a line end."""

    def feed(self, octets: bytes) -> None:
        super().feed(octets)
        if not self.wanted and octets:
            self._content += b"\r\n"


class _Newest(ChunkReader):
    """Keeps the newest chunk that is not empty."""

    def expect(self, octets: int) -> None:
        super().expect(octets)
        if octets:
            self._content.clear()


class _WithoutEmpty(ChunkReader):
    """Forgets everything at an empty chunk."""

    def expect(self, octets: int) -> None:
        super().expect(octets)
        if not octets:
            self._content.clear()


class _Unstuffed(ChunkReader):
    """Takes a dot away where a chunk begins."""

    _begins = False

    def feed(self, octets: bytes) -> None:
        begins = self._begins
        self._begins = False
        super().feed(octets)
        if begins and octets.startswith(b"."):
            del self._content[-len(octets)]

    def expect(self, octets: int) -> None:
        super().expect(octets)
        self._begins = True


class _EndsLines(ChunkReader):
    """Makes a line end of a CR that ends a chunk."""

    def feed(self, octets: bytes) -> None:
        super().feed(octets)
        if not self.wanted and octets.endswith(b"\r"):
            self._content += b"\n"


class _EndsAtLookalikes(ChunkReader):
    """Takes what ends mail data, or looks like it, for the end of a chunk."""

    def feed(self, octets: bytes) -> None:
        super().feed(octets)
        if (found := _LOOKALIKE.search(self._content)) is not None:
            del self._content[found.start():]
            self._wanted = 0


class _Endless(ChunkReader):
    """Knows no limit."""

    def __init__(self, limit_octets: int) -> None:
        super().__init__(limit_octets << 20)


def _reads_with(reader: Callable[[int], ChunkReader]) -> Around:
    """Collect the chunks of a transaction by another reader."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == _BDAT and session.state is State.RCPT:
            session.chunks = reader(session.service.limits.message_octets)
        return go_on()

    return around


def _counts(more: int) -> Around:
    """Take a chunk for so many octets longer than it is."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if verb == _BDAT and session.chunks is not None and session.chunks.wanted > 1:
            session.chunks.expect(session.chunks.wanted + more)
        return reply

    return around


def _first_and_last(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.RCPT and argument.upper().endswith(b" LAST")


def _swallows(code: Reply, when: Callable[[SmtpState, bytes], bool]) -> Around:
    """Refuse some chunks, octets and all."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == _BDAT and when(session, argument):
            session.state, session.chunks = State.MAIL, None
        return go_on()

    return around


def _is_empty_last(session: SmtpState, argument: bytes) -> bool:
    return argument.upper() == b"0 LAST"


def _is_empty(session: SmtpState, argument: bytes) -> bool:
    return argument == b"0"


def _waits_at_empty(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == _BDAT and session.chunks is not None and not session.chunks.wanted and session.reading is Reading.CHUNK:
        session.chunks.expect(1)
    return reply


def _asks_to_go_on(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    return replies.SEND_MAIL_DATA if verb == _BDAT and reply is None else reply


def _between(session: SmtpState, verb: bytes) -> bool:
    return verb == _BDAT and session.state is State.CHUNKS


def _silent_between(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if _between(session, verb) else octets


def _twice_between(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets * 2 if _between(session, verb) else octets


def _tires_of_chunks(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if not _between(session, verb):
        return octets
    count = session.memory.get("chunks", 0)
    assert isinstance(count, int)
    session.memory["chunks"] = count + 1
    return octets if count < _MANY else b""


def _loses_what_follows(session: SmtpState, octets: bytes) -> bytes:
    """Lose what stands behind a chunk in the same segment."""
    line, crlf, rest = octets.partition(b"\r\n")
    words = line.split()
    if not crlf or words[:1] != [_BDAT] or len(words) < 2 or not words[1].isdigit():
        return octets
    return line + crlf + rest[: int(words[1])]


def _wants_the_command_whole(session: SmtpState, octets: bytes) -> bytes:
    part = session.reading is Reading.COMMAND and octets.startswith(b"B") and not octets.endswith(b"\n")
    return b"" if part and b"\n" not in octets else octets


def _takes_a_segment_for_a_chunk(session: SmtpState, octets: bytes) -> bytes:
    """Fill up a chunk that does not come whole in the segment of its first octet, or of its command."""
    if session.reading is Reading.CHUNK and session.chunks is not None:
        return octets.ljust(session.chunks.wanted, b" ")
    line, crlf, rest = octets.partition(b"\r\n")
    words = line.split()
    whole = not crlf or words[:1] != [_BDAT] or len(words) < 2 or not words[1].isdigit()
    return octets if whole else line + crlf + rest.ljust(int(words[1]), b" ")


def _wants_capitals(session: SmtpState, octets: bytes) -> bytes:
    return octets if octets[:4].upper() != _BDAT or octets[:4] == _BDAT else b"X" + octets[1:]


def _last_in_capitals(session: SmtpState, argument: bytes) -> bool:
    return argument.upper().endswith(b"LAST") and not argument.endswith(b"LAST")


def _in_chunks(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.CHUNKS


def _chunks_survive(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Keep the chunks over RSET and EHLO, for the next message."""
    chunks = session.chunks
    reply = go_on()
    if verb in {b"RSET", b"EHLO", b"LHLO"} and chunks is not None:
        session.memory["kept"] = chunks
    elif verb == b"RCPT" and isinstance(kept := session.memory.pop("kept", None), ChunkReader):
        session.chunks = kept
    return reply


def _of_chunks(change: Callable[[bytes], bytes]) -> Callable[[SmtpState, bytes], bytes]:
    """Change what came by BDAT, and nothing else."""
    return lambda session, content: change(content) if session.memory.get("bdat") else content


def _notes_chunks(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb in {_BDAT, b"DATA"}:
        session.memory["bdat"] = verb == _BDAT
    return go_on()


def _with_parameter(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"CHUNKING\r\n", b"CHUNKING 1000\r\n") if verb in {b"EHLO", b"LHLO"} else octets


def _no_limit(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"552 5.3.4", b"250 2.0.0") if verb == _BDAT else octets


def _delivers_what_came(session: SmtpState) -> None:
    transaction, chunks = session.transaction, session.chunks
    if session.state is State.CHUNKS and transaction is not None and chunks is not None:
        base = session.dialect.name
        transaction.deliver(chunks.content(), session.client, session.service, base, each=False)


FAULTS: Final = (
    Fault("chunking-parameter", "CHUNKING has a parameter", outgoing=_with_parameter),
    Fault("chunking-instead-of-data", "a server that has BDAT has no DATA", around=answers(b"DATA", 502)),
    Fault("chunk-alone-refused", "a message needs two chunks", around=_swallows(replies.OUT_OF_ORDER, _first_and_last)),
    Fault("chunks-glued", "a line end is put between two chunks", around=_reads_with(_Glued)),
    Fault("chunks-newest-only", "the newest chunk is the message", around=_reads_with(_Newest)),
    Fault("chunks-empty-clears", "an empty chunk forgets the others", around=_reads_with(_WithoutEmpty)),
    Fault("chunks-end-at-dots", "what looks like the end of mail data ends a chunk", around=_reads_with(
        _EndsAtLookalikes
    )),
    Fault("chunks-begin-lines", "a dot at the start of a chunk is taken away", around=_reads_with(_Unstuffed)),
    Fault("chunks-end-lines", "a CR at the end of a chunk becomes a line end", around=_reads_with(_EndsLines)),
    Fault("chunk-one-more", "a chunk is an octet longer than it says", around=_counts(1)),
    Fault("chunk-one-less", "a chunk is an octet shorter than it says", around=_counts(-1)),
    Fault("chunk-empty-last-refused", "BDAT 0 LAST is refused", around=_swallows(replies.OUT_OF_ORDER, _is_empty_last)),
    Fault("chunk-empty-refused", "BDAT 0 is refused", around=_swallows(replies.OUT_OF_ORDER, _is_empty)),
    Fault("chunk-empty-waits", "BDAT 0 waits for an octet", around=_waits_at_empty),
    Fault("chunk-354", "BDAT is answered 354 before the octets", around=_asks_to_go_on),
    Fault("chunk-unanswered", "only the last chunk is answered", outgoing=_silent_between),
    Fault("chunk-answered-twice", "a chunk is answered twice", outgoing=_twice_between),
    Fault("chunks-tire", "after five hundred chunks none is answered", outgoing=_tires_of_chunks),
    Fault("chunk-loses-what-follows", "what follows a chunk in its segment is lost", incoming=_loses_what_follows),
    Fault("chunk-command-whole", "a BDAT that is cut into segments is lost", incoming=_wants_the_command_whole),
    Fault("chunk-of-a-segment", "a chunk ends where its segment does", incoming=_takes_a_segment_for_a_chunk),
    Fault("chunk-unstuffed", "a dot at the start of a line in a chunk is taken away", around=_notes_chunks,
          content=_of_chunks(lambda content: content.replace(b"\r\n.", b"\r\n"))),
    Fault("chunk-stuffed", "a dot at the start of a line in a chunk is doubled", around=_notes_chunks,
          content=_of_chunks(lambda content: content.replace(b"\r\n.", b"\r\n.."))),
    Fault("chunk-ends-at-dot", "a line of one dot ends the message in a chunk", around=_notes_chunks,
          content=_of_chunks(lambda content: _DOT_LINE.sub(b"\r\n", content))),
    Fault("bdat-in-capitals", "BDAT is known in capitals only", incoming=_wants_capitals),
    Fault("last-in-capitals", "LAST is known in capitals only", around=answers(_BDAT, 501, _last_in_capitals)),
    Fault("chunk-then-data", "DATA goes on after a chunk", around=out_of_order(b"DATA", _in_chunks)),
    Fault("chunks-survive", "RSET and EHLO keep the chunks", around=_chunks_survive),
    Fault("chunks-no-limit", "chunks may be as many as they like",
          around=_reads_with(_Endless), outgoing=_no_limit),
    Fault("chunks-cut-off-delivered", "chunks of a client that is gone are delivered", gone=_delivers_what_came),
)  # fmt: skip
