"""What the faults in UTF-8 and languages in POP3 break."""

from msgspec.structs import replace as with_fields

from conformance.refserver.behaviour import Capability
from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.utf8.", "pop3.lang.")
CHOICES = {"capabilities": frozenset(Capability)}
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "pop3-utf8-odd-argument": {"pop3.utf8.capa#after-login", "pop3.utf8.capa#before-login"},
    "pop3-utf8-takes-argument": {"pop3.utf8.no-params#user", "pop3.utf8.no-params#word"},
    "pop3-utf8-deaf": {"pop3.utf8.native#retr", "pop3.utf8.native#top"},
    "pop3-utf8-after-login": {"pop3.utf8.only-authorization"},
    "pop3-utf8-dies-on-odd-octets": {
        "pop3.utf8.user-invalid#pass-cut",
        "pop3.utf8.user-invalid#pass-overlong",
        "pop3.utf8.user-invalid#pass-stray",
        "pop3.utf8.user-invalid#pass-surrogate",
        "pop3.utf8.user-invalid#user-cut",
        "pop3.utf8.user-invalid#user-overlong",
        "pop3.utf8.user-invalid#user-stray",
        "pop3.utf8.user-invalid#user-surrogate",
    },
    "pop3-utf8-drops-odd-octets": {
        "pop3.utf8.user-invalid#pass-cut",
        "pop3.utf8.user-invalid#pass-overlong",
        "pop3.utf8.user-invalid#pass-stray",
        "pop3.utf8.user-invalid#pass-surrogate",
    },
    "pop3-utf8-lets-odd-names-in": {
        "pop3.utf8.user-invalid#pass-cut",
        "pop3.utf8.user-invalid#pass-overlong",
        "pop3.utf8.user-invalid#pass-stray",
        "pop3.utf8.user-invalid#pass-surrogate",
        "pop3.utf8.user-invalid#user-cut",
        "pop3.utf8.user-invalid#user-overlong",
        "pop3.utf8.user-invalid#user-stray",
        "pop3.utf8.user-invalid#user-surrogate",
    },
    "pop3-utf8-raw-for-all": {"pop3.utf8.no-raw-without#retr", "pop3.utf8.no-raw-without#top"},
    "pop3-utf8-other-code": {"pop3.utf8.err-code"},
    "pop3-utf8-no-code": {"pop3.utf8.err-code"},
    "pop3-utf8-rewritten-for-all": {"pop3.utf8.native#retr", "pop3.utf8.native#top"},
    "pop3-utf8-question-marks": {"pop3.utf8.native#retr", "pop3.utf8.native#top"},
    "pop3-utf8-size-of-the-other": {"pop3.utf8.list-size"},
    "pop3-utf8-top-raw": {"pop3.utf8.no-raw-without#top"},
    "lang-no-tags": {"pop3.lang.list#after-login", "pop3.lang.list#before-login"},
    "lang-odd-tags": {"pop3.lang.list#after-login", "pop3.lang.list#before-login"},
    "lang-one-line": {"pop3.lang.list#after-login", "pop3.lang.list#before-login"},
    "lang-no-end": {"pop3.lang.list#after-login", "pop3.lang.list#before-login"},
    "lang-listed-refused": {
        "pop3.lang.both-states",
        "pop3.lang.set#any",
        "pop3.lang.set#listed",
        "pop3.lang.set#lower",
        "pop3.lang.set#upper",
    },
    "lang-untold": {"pop3.lang.set#listed", "pop3.lang.set#lower", "pop3.lang.set#upper"},
    "lang-minds-case": {"pop3.lang.set#upper"},
    "lang-knows-all": {"pop3.lang.unknown#no-tag", "pop3.lang.unknown#private", "pop3.lang.unknown#unknown"},
    "lang-lost": {"pop3.lang.unknown#no-tag", "pop3.lang.unknown#private", "pop3.lang.unknown#unknown"},
    "lang-before-login-only": {"pop3.lang.both-states"},
}
