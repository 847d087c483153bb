"""What the faults in STLS break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.stls.", "pop3.sasl.no-clear", "pop3.sasl.plain-with-tls")
CHOICES = {"clear_text_passwords": False}
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "stls-refused": {"pop3.stls.ok#begins"},
    "stls-second-greeting": {
        "pop3.capa.unknown-x",
        "pop3.stls.inject#capa",
        "pop3.stls.inject#login",
        "pop3.stls.inject#noop",
        "pop3.stls.inject#quit",
        "pop3.stls.inject#unknown",
        "pop3.stls.inject#user",
        "pop3.stls.inject-partial#auth",
        "pop3.stls.inject-partial#capa",
        "pop3.stls.inject-partial#user",
        "pop3.stls.ok#no-greeting",
        "pop3.stls.stays-authorization#certificate",
        "pop3.stls.stays-authorization#no-certificate",
        "pop3.stls.user-forgotten",
        "pop3.uidl.chars",
    },
    "stls-unlisted": {"pop3.stls.capa-exists"},
    "stls-without-capa": {"pop3.stls.capa-exists"},
    "stls-after-login": {"pop3.stls.only-authorization"},
    "stls-still-listed": {"pop3.stls.tag-gone"},
    "stls-with-argument": {"pop3.stls.args#version", "pop3.stls.args#word"},
    "stls-dies-of-argument": {"pop3.stls.args#version", "pop3.stls.args#word"},
    "stls-keeps-name": {"pop3.stls.user-forgotten"},
    "stls-keeps-input": {
        "pop3.stls.inject#capa",
        "pop3.stls.inject#login",
        "pop3.stls.inject#noop",
        "pop3.stls.inject#quit",
        "pop3.stls.inject#unknown",
        "pop3.stls.inject#user",
        "pop3.stls.inject-partial#auth",
        "pop3.stls.inject-partial#capa",
        "pop3.stls.inject-partial#user",
    },
    "stls-keeps-half-a-line": {
        "pop3.stls.inject-partial#auth",
        "pop3.stls.inject-partial#capa",
        "pop3.stls.inject-partial#user",
    },
    "stls-no-capa-in-tls": {"pop3.stls.capa-after"},
    "stls-silent-capa-in-tls": {"pop3.stls.capa-after"},
    "stls-promised": {
        "pop3.stls.garbage#bad-record",
        "pop3.stls.garbage#command",
        "pop3.stls.garbage#login",
        "pop3.stls.ok#begins",
    },
    "stls-replies-in-clear": {"pop3.stls.garbage#command", "pop3.stls.garbage#login"},
    "stls-is-a-login": {
        "pop3.stls.inject#login",
        "pop3.stls.stays-authorization#certificate",
        "pop3.stls.stays-authorization#no-certificate",
    },
    "stls-cut-deletes": {"pop3.stls.truncation#close-notify", "pop3.stls.truncation#cut"},
    "stls-passwords-in-clear": {"pop3.stls.required"},
    "stls-plain-in-clear": {"pop3.sasl.no-clear"},
    "stls-no-plain": {"pop3.sasl.plain-with-tls"},
    "tls-cut": {"pop3.stls.close-notify#after-login", "pop3.stls.close-notify#before-login"},
    "tls-1.0": {"pop3.stls.min-version#1.0"},
    "tls-1.1": {"pop3.stls.min-version#1.1"},
}
