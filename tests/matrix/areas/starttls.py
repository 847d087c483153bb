"""What the faults in STARTTLS break."""

from dataclasses import replace

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

CASES = (
    "smtp.tls.after-helo",
    "smtp.tls.args",
    "smtp.tls.before-ehlo",
    "smtp.tls.ext-set-differs",
    "smtp.tls.garbage-handshake",
    "smtp.tls.handshake-failed-then-plain",
    "smtp.tls.handshake-stall",
    "smtp.tls.in-transaction",
    "smtp.tls.inject-auth",
    "smtp.tls.inject-command",
    "smtp.tls.inject-mail",
    "smtp.tls.inject-partial",
    "smtp.tls.large-record-split",
    "smtp.tls.mechs-in-clear",
    "smtp.tls.new-ehlo-list",
    "smtp.tls.no-greeting",
    "smtp.tls.no-param",
    "smtp.tls.not-readvertised",
    "smtp.tls.not-required-public",
    "smtp.tls.received-cipher",
    "smtp.tls.received-with",
    "smtp.tls.required-530",
    "smtp.tls.required-exempt",
    "smtp.tls.reset-auth",
    "smtp.tls.reset-ehlo",
    "smtp.tls.reset-envelope",
    "smtp.tls.reset-name",
    "smtp.tls.second-refused",
    "smtp.tls.starttls-220",
    "sasl.external.",
)
CHOICES = {"clear_text_passwords": False}
LIMITS = replace(laboratory.LIMITS, message_octets=1_000_000)
DECLARED = with_fields(
    laboratory.DECLARED, claims=with_fields(laboratory.DECLARED.claims, public_mx=True)
)

BREAKS = {
    "tls-parameter": {"smtp.tls.no-param"},
    "tls-221": {"smtp.reply.command-table", "smtp.tls.args", "smtp.tls.starttls-220"},
    "tls-refused": {"smtp.tls.starttls-220"},
    "tls-with-argument": {"smtp.tls.args"},
    "tls-promised": {"smtp.tls.garbage-handshake", "smtp.tls.handshake-failed-then-plain", "smtp.tls.starttls-220"},
    "tls-deaf": {
        "smtp.tls.garbage-handshake",
        "smtp.tls.handshake-failed-then-plain",
        "smtp.tls.handshake-stall",
        "smtp.tls.starttls-220",
    },
    "tls-readvertised": {"smtp.tls.not-readvertised"},
    "tls-twice": {"smtp.tls.second-refused"},
    "tls-no-second-ehlo": {"smtp.tls.new-ehlo-list"},
    "tls-second-greeting": {
        "smtp.reply.command-table",
        "smtp.tls.inject-partial",
        "smtp.tls.new-ehlo-list",
        "smtp.tls.no-greeting",
        "smtp.tls.reset-ehlo",
    },
    "tls-keeps-hello": {"smtp.tls.reset-ehlo"},
    "tls-keeps-name": {"smtp.tls.received-cipher", "smtp.tls.received-with", "smtp.tls.reset-name"},
    "tls-keeps-envelope": {"smtp.tls.reset-envelope"},
    "tls-keeps-login": {"smtp.tls.reset-auth"},
    "tls-keeps-input": {
        "smtp.reply.command-table",
        "smtp.tls.inject-auth",
        "smtp.tls.inject-command#ehlo",
        "smtp.tls.inject-command#noop",
        "smtp.tls.inject-command#rset",
        "smtp.tls.inject-command#vrfy",
        "smtp.tls.inject-mail",
        "smtp.tls.inject-partial",
    },
    "tls-keeps-half-a-line": {"smtp.tls.inject-partial"},
    "tls-public-530": {"smtp.tls.not-required-public"},
    "tls-insists-554": {"smtp.tls.required-530"},
    "tls-insists-on-all": {
        "smtp.tls.not-required-public",
        "smtp.tls.required-exempt#noop",
        "smtp.tls.required-exempt#quit",
    },
    "tls-passwords-in-clear": {"smtp.tls.mechs-in-clear"},
    "tls-external": {"sasl.external.no-cert"},
    "tls-untold": {"smtp.tls.received-with"},
    "tls-suite-untold": {"smtp.tls.received-cipher"},
    "tls-loses-lone-spaces": {"smtp.tls.large-record-split#one-octet"},
    "tls-loses-of-full-records": {"smtp.tls.large-record-split#16-kib"},
}
