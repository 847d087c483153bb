"""What the faults in user names in UTF-8 break."""

from msgspec.structs import replace as with_fields

from conformance.refserver.behaviour import Capability
from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.utf8.user",)
CHOICES = {"capabilities": frozenset(Capability)}
DECLARED = with_fields(
    laboratory.DECLARED,
    accounts=with_fields(
        laboratory.DECLARED.accounts, pop3=(*laboratory.DECLARED.accounts.pop3, ("δοκιμή", "secret"))
    ),
    timers=with_fields(laboratory.DECLARED.timers, reply=5.0),
)

BREAKS = {
    "pop3-utf8-names-in-ascii": {"pop3.utf8.user#after-utf8", "pop3.utf8.user#without-utf8"},
    "pop3-utf8-names-need-utf8": {"pop3.utf8.user#without-utf8"},
}
