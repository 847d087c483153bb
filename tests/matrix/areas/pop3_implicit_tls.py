"""What the faults in TLS that comes before the greeting break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.tls.",)
IMPLICIT_TLS = True
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "stls-replies-in-clear": {"pop3.tls.implicit"},
    "stls-still-listed": {"pop3.tls.implicit-no-stls#tag"},
    "stls-twice": {"pop3.tls.implicit-no-stls#command"},
}
