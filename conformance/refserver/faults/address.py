"""Faults in how addresses are read (RFC 5321 §4.1.2, §4.1.3)."""

import re
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, holds
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

_SOMEBODY: Final = {b"MAIL": b"FROM:<user1@example.test>", b"RCPT": b"TO:<user1@example.test>"}
_BOTH: Final = (b"MAIL", b"RCPT")
_PLAIN: Final = rb"<[^\">]*"      # the local-part's beginning, not within quotes


def _takes(pattern: bytes, *verbs: bytes) -> Around:
    """Take an address that fits a pattern, as if it were somebody's; MAIL unless said otherwise."""
    found = re.compile(pattern)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        due = said in (verbs or (b"MAIL",)) and found.search(argument) is not None
        if not due or session.state not in COMMANDS[said].permitted:
            return go_on()
        return COMMANDS[said].run(session, _SOMEBODY[said])

    return around


def _lacks(name: str, does: str, pattern: bytes) -> Fault:
    """Return the fault of a parser that calls something lawful malformed in MAIL."""
    return Fault(name, f"{does} is a syntax error", around=answers(b"MAIL", 501, holds(pattern)))


_ATOMS: Final = {"apostrophe": b"'", "slash": b"/", "plus": rb"\+", "percent": b"%", "backquote": b"`", "bar": rb"\|"}
_LENIENT: Final = {
    # name                (what is taken for an address,              how it shows)
    "leading-dot":        ("a dot before a local-part",                rb"<\."),
    "trailing-dot":       ("a dot behind a local-part",                rb"\.@"),
    "double-dot":         ("two dots in a local-part",                 _PLAIN + rb"\.\.[^\">]*@"),
    "unclosed-quote":     ("an opening quote",                         rb'<"[^"]*>'),
    "unopened-quote":     ("a closing quote",                          rb'<[^"]+"@'),
    "escaped-quote":      ("a quote that does not close",              rb'<"[^"]*\\"@'),
    "quoted-control":     ("a control octet within quotes",            rb'<"[^"\\]*[\x01-\x1f\x7f]'),
    "escaped-control":    ("a control octet behind a backslash",       rb"\\[\x01-\x1f]"),
    "unquoted-space":     ("a space in a local-part",                  rb"<[^\">]* [^\">]*@"),
    "unquoted-comma":     ("a comma in a local-part",                  rb"<[^\">@]*,[^\">]*@"),
    "unquoted-colon":     ("a colon in a local-part",                  rb"<[^\">@]+:[^\">]*@"),
    "parenthesis":        ("a parenthesis in a local-part",            rb"<[^\">)]*\([^)]*@"),
    "two-ats":            ("the first of two at-signs",                rb"<[^\">@]+@[^\">@]+@"),
    "semicolon":          ("a semicolon in a local-part",              rb"<[^\">]*;"),
    "angle":              ("a second opening bracket",                 rb"<[^\">]+<[^>]*>\Z"),
    "hyphen-first":       ("a hyphen before a label",                  rb"@-"),
    "hyphen-last":        ("a hyphen behind a label",                  rb"@[a-z]*-\."),
    "empty-label":        ("two dots in a domain",                     rb"@[^>]*\.\."),
    "underscore":         ("an underscore in a domain",                rb"@[a-z]*_"),
    "long-label":         ("a label of 64 octets",                     rb"@a{64}\."),
    "literal-out-of-range": ("a number above 255 in a literal",        rb"\[256"),
    "literal-three":      ("three numbers in a literal",               rb"\[1\.2\.3\]"),
    "literal-five":       ("five numbers in a literal",                rb"\[1\.2\.3\.4\.5\]"),
    "literal-empty":      ("nothing in a literal",                     rb"\[\]"),
    "literal-v6-any":     ("any digits behind IPv6:",                  rb"\[IPv6:1"),
    "literal-untagged":   ("an IPv6 literal without its tag",          rb"\[2001:"),
    "hash":               ("a number of RFC 821",                      rb"@#[0-9]"),
    "comment":            ("what stands in parentheses as nothing",    rb"\([a-z]+\)"),
}  # fmt: skip

FAULTS: Final = (
    *(_lacks(f"addr-no-{name}", f"{name} in a local-part", rb"<a[^@\">]*" + octet) for name, octet in _ATOMS.items()),
    _lacks("addr-no-dots", "a dot in a local-part", rb"<[^\">@]+\.[^\">@]+@"),
    _lacks("addr-no-second-dot", "a second dot in a local-part", rb"<[a-z]+\.[a-z]+\.[^\">@]+@"),
    _lacks("addr-no-quotes", "a quoted local-part", rb'<"'),
    _lacks("addr-quoted-space", "a space within quotes", rb'<"[^"]* '),
    _lacks("addr-quoted-comma", "a comma within quotes", rb'<"[^"]*,'),
    _lacks("addr-quoted-at", "an at-sign within quotes", rb'<"[^"]*@[^"]*"@'),
    _lacks("addr-quoted-bracket", "a closing bracket within quotes", rb'<"[^"]*>'),
    _lacks("addr-no-escapes", "a backslash within quotes", rb'<"[^"]*\\'),
    _lacks("addr-label-62", "a label of 63 octets", rb"@a{63}\."),
    _lacks("addr-no-v6", "an IPv6 literal", rb"\[IPv6:"),
    _lacks("addr-no-compressed-v6", "a compressed IPv6 literal", rb"\[IPv6:[^\]]*::"),
    _lacks("addr-no-full-v6", "an IPv6 literal in full", rb"\[IPv6:([0-9a-f]+:){7}"),
    _lacks("addr-no-mapped-v6", "IPv4 within IPv6", rb"\[IPv6:[^\]]*\."),
    Fault("addr-quoted-unfit", "a quoted local-part is said to be bad with 553 5.1.7", around=answers(
        b"MAIL", 553, holds(rb'<"'), "5.1.7",
    )),
    *(Fault(f"addr-takes-{name}", f"{what} is taken", around=_takes(pattern))
      for name, (what, pattern) in _LENIENT.items()),
    Fault("addr-takes-garbage", "what stands behind a path is passed over", around=_takes(rb"@[^>]*>[^ ]", *_BOTH)),
    *(Fault(f"addr-no-{name}-of-recipients", f"a recipient's {name} are a syntax error", around=answers(
        b"RCPT", 501, holds(pattern),
    )) for name, pattern in {"slashes": b"<a[^@]*/", "dots": rb"<a\.b\.", "quotes": b'<"a', "ats": b'<"a@'}.items()),
    Fault("addr-takes-garbage-of-recipients", "what stands behind a forward-path is passed over", around=_takes(
        rb"@[^>]*>[^ ]", b"RCPT",
    )),
    Fault("addr-takes-comments-of-recipients", "a forward-path may have comments", around=_takes(
        rb"\([a-z]+\)", b"RCPT",
    )),
    Fault("addr-takes-unclosed-quotes-of-recipients", "a forward-path may have one quote", around=_takes(
        rb'<[^"]*"[^"]*>', b"RCPT",
    )),
)  # fmt: skip
