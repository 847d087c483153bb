"""What the faults in CAPA break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.capa.",)
# A silence takes its whole time, and the cases wait for each other's maildrops meanwhile.
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "capa-no-end": {"pop3.capa.multiline#after-login", "pop3.capa.multiline#before-login"},
    "capa-one-line": {"pop3.capa.multiline#after-login", "pop3.capa.multiline#before-login"},
    "capa-no-end-later": {"pop3.capa.multiline#after-login"},
    "capa-ignores-argument": {"pop3.capa.no-args#tag", "pop3.capa.no-args#word"},
    "capa-dies-of-argument": {"pop3.capa.no-args#tag", "pop3.capa.no-args#word"},
    "capa-only-before-login": {"pop3.capa.both-states", "pop3.capa.multiline#after-login"},
    "capa-only-after-login": {"pop3.capa.both-states"},
    "capa-takes-user-back": {"pop3.capa.auth-caps-remain#user"},
    "capa-takes-sasl-back": {"pop3.capa.auth-caps-remain#sasl"},
    "capa-takes-codes-back": {"pop3.capa.auth-caps-remain#others"},
    "capa-minds-case": {"pop3.capa.case#lower", "pop3.capa.case#mixed"},
    "capa-top-lies": {"pop3.capa.top-honest#after-login", "pop3.capa.top-honest#before-login"},
    "capa-uidl-lies": {"pop3.capa.uidl-honest#after-login", "pop3.capa.uidl-honest#before-login"},
    "capa-top-unlisted": {"pop3.capa.top-honest#after-login", "pop3.capa.top-honest#before-login"},
    "capa-uidl-unlisted": {"pop3.capa.uidl-honest#before-login"},
    "capa-user-lies": {"pop3.capa.user-honest"},
    "capa-pass-lies": {"pop3.capa.user-honest"},
    "capa-apop": {"pop3.capa.no-apop-tag", "pop3.capa.unknown-x"},
    "capa-version": {"pop3.capa.implementation"},
    "capa-long-line": {"pop3.capa.line-512"},
    "capa-two-spaces": {"pop3.capa.tags-printable"},
    "capa-own-tag": {"pop3.capa.unknown-x"},
}
