"""How replies are worded: RFC 5321 §4.2 leaves the text, and the number of lines, to the server."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import HELLO_VERBS, SmtpState

_LINE: Final = re.compile(rb"(\d\d\d)([ -])(\d\.\d+\.\d+ )?([^\r\n]*)\r\n")
_TOLD: Final = {b"220", b"221", b"251", b"334", b"421", b"551"}     # whose text says something (RFC 5321 §4.2)
_LONG: Final = b"and so on " * 45                                   # 512 octets a line may have: §4.5.3.1.5

Said = Callable[[bytes, bytes, bytes], bytes]       # code, enhanced status code with its space or b"", text -> lines


def _in_other_words(said: Said, *, told_too: bool = False) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Word every line anew, but for EHLO's, and for those whose text means something unless `told_too`."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        def word(match: re.Match[bytes]) -> bytes:
            code, _, status, text = match.groups(b"")
            if code == b"334" or (code in _TOLD and not told_too) or match[2] == b"-":
                return match[0]
            return said(code, status, text)

        tells = verb in HELLO_VERBS or (verb in {b"VRFY", b"EXPN"} and octets.startswith(b"25"))
        return octets if tells else _LINE.sub(word, octets)

    return outgoing


def _one(text: bytes) -> Said:
    return lambda code, status, _: code + b" " + status + text + b"\r\n"


def _two(code: bytes, status: bytes, text: bytes) -> bytes:
    return code + b"-" + status + text + b"\r\n" + code + b" " + status + b"See https://example.test/why\r\n"


def _empty_first(code: bytes, status: bytes, text: bytes) -> bytes:
    return (code + b"-\r\n" if not status else b"") + code + b" " + status + text + b"\r\n"


def _none(code: bytes, status: bytes, text: bytes) -> bytes:
    return code + (b" " + status + text if status else b"") + b"\r\n"


def _only_space(code: bytes, status: bytes, text: bytes) -> bytes:
    return code + b" " + (status + text if status else b"") + b"\r\n"


def _keywords(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Change the lines that list extensions."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        if verb not in {b"EHLO", b"LHLO"} or not octets.startswith(b"250"):
            return octets
        first, *keywords = [line[4:] for line in octets.split(b"\r\n")[:-1]]
        *lines, last = [first, *change(keywords)]
        return b"".join(b"250-" + line + b"\r\n" for line in lines) + b"250 " + last + b"\r\n"

    return outgoing


def _size(value: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [b"SIZE" + value if line.startswith(b"SIZE") else line for line in lines]


def _lower(lines: list[bytes]) -> list[bytes]:
    words = [line.partition(b" ") for line in lines]
    return [keyword.lower() + space + parameters for keyword, space, parameters in words]


def _greeting(text: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    return lambda session, verb, octets: text if verb == b"" and octets.startswith(b"220") else octets


CHOICES: Final = (
    Fault("other-words", "texts that look like codes", outgoing=_in_other_words(_one(b"550 roses, OK? <a@b> 5.1.1"))),
    Fault("few-words", "a word is enough", outgoing=_in_other_words(_one(b"k"), told_too=True)),
    Fault("long-words", "lines of nearly 512 octets", outgoing=_in_other_words(_one(_LONG))),
    Fault("two-lines", "every reply has two lines", outgoing=_in_other_words(_two, told_too=True)),
    Fault("empty-line-first", "every reply has an empty line in front", outgoing=_in_other_words(_empty_first)),
    Fault("no-words", "codes alone, without a space", outgoing=_in_other_words(_none)),
    Fault("no-words-but-a-space", "codes and a space", outgoing=_in_other_words(_only_space)),
    Fault("keywords-reversed", "EHLO lists them from the last", outgoing=_keywords(lambda lines: lines[::-1])),
    Fault("keywords-lower-case", "RFC 5321 §2.4: in any case", outgoing=_keywords(_lower)),
    Fault(
        "more-keywords", "EHLO lists what no RFC knows",
        outgoing=_keywords(lambda lines: [b"X-FIRST", *lines, b"XLAST 1 two=3 ?!"]),
    ),
    Fault("size-without-value", "RFC 1870 §4: no figure", outgoing=_keywords(_size(b""))),
    Fault("size-zero", "RFC 1870 §4: no fixed maximum", outgoing=_keywords(_size(b" 0"))),
    Fault(
        "greeting-of-three-lines", "RFC 5321 §4.2.1",
        outgoing=_greeting(b"220-mail.example.test ESMTP\r\n220-No unsolicited mail.\r\n220 You are logged.\r\n"),
    ),
    Fault("greeting-of-two-words", "220 and a name", outgoing=_greeting(b"220 mail.example.test\r\n")),
    Fault(
        "hello-without-words", "a name, and no words to greet with",
        outgoing=lambda session, verb, octets:
            octets.replace(b" greets you", b"", 1) if verb in {b"EHLO", b"LHLO"} else octets,
    ),
)  # fmt: skip
