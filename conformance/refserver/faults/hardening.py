"""Faults against which no RFC stands: arguments that work, no end to anything, sessions that know of each other."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, hears, holds, runs_sleeps
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import Reading, SmtpState, State

_FIELD: Final = b"X-Mailproof-Injected: yes\r\n"
_DEBUG: Final = frozenset({b"DEBUG", b"WIZ", b"KILL", b"SHOWQ", b"XCLIENT", b"XFORWARD", b"XEXCH50", b"XAUTH", b"ONEX",
                           b"VERB"})  # fmt: skip
_MANY_S: Final = 25.0
_CROWD: Final = 50
_POURED_OCTETS: Final = 8 * 1024 * 1024


def _rewrites(pattern: bytes, by: bytes, note: str = "") -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that hears something else where a pattern fits, and notes that it did."""
    found = re.compile(pattern, re.DOTALL)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        if session.reading is not Reading.COMMAND or not found.search(octets):
            return octets
        if note:
            session.memory[note] = True
        return found.sub(by, octets)

    return incoming


def _injects(session: SmtpState, content: bytes) -> bytes:
    return _FIELD + content if session.memory.pop("injected", False) else content


def _believes_names(pattern: bytes) -> dict[str, Callable[..., object]]:
    """Return what takes any name of EHLO that fits, and writes it into the trace field."""
    found = re.compile(rb"\A(EHLO|LHLO) (" + pattern + rb")\r\n\Z", re.DOTALL)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        match = found.search(octets)
        if match is None:
            return octets
        session.memory["name"] = match[2].replace(b"{{1337*31}}", b"41447").decode("latin-1")
        return match[1] + b" odd.example\r\n"

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if verb in {b"EHLO", b"LHLO"} and argument == b"odd.example":
            session.client = replace(session.client, helo=str(session.memory.get("name", "odd.example")))
        return reply

    return {"incoming": incoming, "around": around}


def _breaks_at(text: bytes) -> Around:
    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if text.upper() not in (verb + b" " + argument).upper():
            return go_on()
        session.after = After.CLOSE
        return None

    return around


def _fills_in(text: bytes, by: str) -> Around:
    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        return replies.reply(501, "5.5.4", f"What is {by}") if text in argument else reply

    return around


def _never_has_enough(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if octets not in {replies.TOO_MANY_ERRORS.octets, replies.TOO_MANY_ERRORS.bare}:
        return octets
    session.after = After.GO_ON
    return b""


def _never_counts(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    session.noops = 0
    return go_on()


def _takes_any_line(session: SmtpState, octets: bytes) -> bytes:
    """Take a command line of any length, whatever it is, for NOOP."""
    if session.reading is not Reading.COMMAND:
        return octets
    if len(octets) > 4096 and b"\n" not in octets:
        session.memory["pours"] = True
        return b""
    return b"NOOP\r\n" if session.memory.pop("pours", False) else octets


def _counts_octets(session: SmtpState, octets: bytes) -> bytes:
    """Be of no more use to anybody after an endless line of mail data."""
    if session.reading is Reading.MAIL_DATA and b"\n" not in octets:
        memory = session.service.memory
        memory["poured"] = memory.get("poured", 0) + len(octets)
    return octets


def _silent_once_poured(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if not verb and session.service.memory.get("poured", 0) > _POURED_OCTETS else octets


def _counts_squared(name: str, does: str, pattern: bytes, many: int) -> Fault:
    """Return the fault of taking a time at the end of a message that grows with the square of what is in it."""

    def content(session: SmtpState, octets: bytes) -> bytes:
        session.memory["slow"] = octets.count(pattern)
        return octets

    def pause_s(session: SmtpState, verb: bytes, octets: bytes) -> float:
        count = session.memory.pop("slow", 0) if verb == b"." else 0
        assert isinstance(count, int)
        return _MANY_S * (count / many) ** 2

    return Fault(name, does, content=content, pause_s=pause_s)


def _forgets_recipients(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"RCPT" and session.transaction is not None:
        del session.transaction.recipients[1:]
    return go_on()


def _counts_sessions(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Greet nobody while there is a crowd."""
    if verb:
        return octets
    memory = session.service.memory
    memory["open"] = memory.get("open", 0) + 1
    return b"" if memory["open"] > _CROWD else octets


def _one_fewer(session: SmtpState) -> None:
    session.service.memory["open"] -= 1


def _leaks(session: SmtpState) -> None:
    """Count those who said EHLO and never went on."""
    if session.state is State.READY:
        session.service.memory["leaked"] = session.service.memory.get("leaked", 0) + 1


def _silent_once_leaked(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if not verb and session.service.memory.get("leaked", 0) > _CROWD else octets


def _loses_last_words(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb not in {b"QUIT", b"."}:
        return octets
    session.after = After.CLOSE
    return b""


def _tells_version(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb not in {b"", b"EHLO", b"LHLO", b"HELP"}:
        return octets
    first, end, rest = octets.partition(b"\r\n")
    return first + b" (Mail 3.7.11)" + end + rest


def _debugs(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.DONE if verb in _DEBUG else go_on()


def _runs_http(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.UNKNOWN_COMMAND if verb in {b"GET", b"POST"} else go_on()


def _tells_of_others(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer NOOP with what the last one to say it said, whoever that was."""
    if verb != b"NOOP":
        return go_on()
    earlier = session.service.memory.get("said", b"nothing")
    session.service.memory["said"] = argument
    return replies.reply(250, "2.0.0", f"Before this: {earlier.decode('ascii', 'replace')}")


def _mixes_messages(session: SmtpState, content: bytes) -> bytes:
    """Put the end of the message before behind every message."""
    earlier = session.service.memory.get("content", b"")
    session.service.memory["content"] = content
    return content + bytes(earlier).rpartition(b"\r\n\r\n")[2]


FAULTS: Final = (
    Fault("hard-mail-injects", "what stands behind a line end in the reverse-path becomes a field", content=_injects,
          incoming=_rewrites(rb"(MAIL FROM:<)[^>]*X-Mailproof-Injected[^>]*?@", rb"\1a@", "injected")),
    Fault("hard-mail-injects-cr", "what stands behind a CR in the reverse-path becomes a field", content=_injects,
          incoming=_rewrites(rb"(MAIL FROM:<)a\rX-Mailproof-Injected[^>]*?@", rb"\1a@", "injected")),
    Fault("hard-rcpt-injects", "what stands behind a line end in a forward-path becomes a field", content=_injects,
          incoming=_rewrites(rb'(RCPT TO:<)"?([^>"\r\n\0%\\]*)[^>]*X-Mailproof-Injected[^>]*?@', rb"\1\2@",
                             "injected")),
    Fault("hard-believes-names", "any name of EHLO is taken", **_believes_names(rb"[^\r\n]*[(;\0\x22][^\r\n]*")),  # type: ignore[arg-type]
    Fault("hard-believes-cr", "a name of EHLO may hold a CR", **_believes_names(rb"a\r[^\n]*")),  # type: ignore[arg-type]
    Fault("hard-works-names-out", "a template in a name of EHLO is worked out",
          **_believes_names(rb"\$\{1337[^\r\n]*")),  # type: ignore[arg-type]
    Fault("hard-raw-controls", "control octets in parameters are passed over",
          incoming=_rewrites(rb" (?:SIZE=1\x07|SIZE=1\r2|BODY=8BITMIME\x00)", b"")),
    Fault("hard-xtext-controls", "control octets in xtext are passed over",
          incoming=_rewrites(rb" (?:ENVID|ORCPT|AUTH)=[^ \r]*\+0[^ \r]*", b"")),
    Fault("hard-shell-taken", "a name written like a command is taken", around=answers(b"RCPT", 250, holds(rb"sleep"))),
    runs_sleeps("hard-shell-runs", "a name written like a command is run", b"RCPT"),
    Fault("hard-files", "a name written like a file's is taken",
          around=answers(b"RCPT", 250, holds(rb"passwd|-oQ|\|cat|~root|\*@"))),
    Fault("hard-breaks-at-formats", "%n in a command ends the session", around=_breaks_at(b"%n")),
    Fault("hard-fills-formats-in", "%s is filled in", around=_fills_in(b"%s", "(null)")),
    Fault("hard-works-out", "templates are worked out", around=_fills_in(b"1337*31", "41447")),
    Fault("hard-endless-errors", "errors have no end", outgoing=_never_has_enough),
    Fault("hard-endless-noops", "NOOP has no end", around=_never_counts),
    Fault("hard-endless-patience", "who says nothing is waited for, for ever", idle_s=1e6),
    Fault("hard-any-line", "a command line may be of any length", incoming=_takes_any_line),
    Fault("hard-chokes", "a long line of mail is the server's end",
          incoming=_counts_octets, outgoing=_silent_once_poured),
    _counts_squared("hard-slow-header", "many fields take long", b"X-A", 100_000),
    _counts_squared("hard-slow-mime", "deep nesting takes long", b"boundary=", 1_000),
    Fault("hard-any-recipients", "there may be any number of recipients", around=_forgets_recipients),
    Fault("hard-stalls-in-crowds", "a crowd is not greeted", outgoing=_counts_sessions, gone=_one_fewer),
    Fault("hard-leaks", "who leaves without a word leaves something behind", gone=_leaks, outgoing=_silent_once_leaked),
    Fault("hard-loses-last-words", "the answers to QUIT and to mail are lost", outgoing=_loses_last_words),
    Fault("hard-tells-version", "the version is told everywhere", outgoing=_tells_version,
          stored=lambda message: re.sub(rb"( with E?SMTP)", rb" (Mail 3.7.11)\1", message, count=1)),
    Fault("hard-vrfy-tells", "VRFY denies a name that nobody has", around=answers(b"VRFY", 550, holds(rb"nobody"))),
    Fault("hard-decodes", "an alias for a program takes mail",
          around=hears(b"RCPT", rb"<(?:uu)?decode(?:-owner)?@[^>]*>", b"<user2@example.test>")),
    Fault("hard-expn-lists", "EXPN lists", outgoing=lambda session, verb, octets: (
        b"250 2.1.5 <user1@example.test>\r\n" if verb == b"EXPN" else octets)),
    Fault("hard-debugs", "whoever asks may debug", around=_debugs),
    Fault("hard-believes-proxies", "a proxy's header is believed",
          incoming=_rewrites(rb"\A(?:PROXY [^\r]*\r\n|\r\n\r\n\x00\r\nQUIT\n.{16})", b"")),
    Fault("hard-runs-http", "commands in a request of HTTP are run", around=_runs_http),
    Fault("hard-loops", "Received fields are not counted",
          content=lambda session, content: re.sub(rb"(?m)^Received: from a\.example[^\n]*\n", b"", content)),
    Fault("hard-tells-of-others", "a session is told what others said", around=_tells_of_others),
    Fault("hard-mixes", "a message holds a part of another", content=_mixes_messages),
)  # fmt: skip
