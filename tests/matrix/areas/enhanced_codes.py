"""What the faults in enhanced status codes break."""

from dataclasses import replace

import msgspec

from tests.matrix import laboratory

CASES = ("smtp.esc.",)
LIMITS = replace(laboratory.LIMITS, recipients=100)      # RFC 5321 §4.5.3.1.8: no fewer
CLAIMS = msgspec.structs.replace(laboratory.DECLARED.claims, recipients_max=100)
DECLARED = msgspec.structs.replace(laboratory.DECLARED, claims=CLAIMS)

BREAKS = {
    "esc-parameter": {"smtp.esc.no-param"},
    "esc-none-after-helo": {"smtp.esc.after-helo"},
    "esc-none-before-tls": {"smtp.esc.starttls-220"},
    "esc-unknown-command": {"smtp.esc.unknown-command#argument", "smtp.esc.unknown-command#word"},
    "esc-bad-sequence": {"smtp.esc.bad-sequence#data", "smtp.esc.bad-sequence#rcpt"},
    "esc-bad-argument": {"smtp.esc.bad-argument#malformed"},
    "esc-unknown-argument": {"smtp.esc.bad-argument#unknown"},
    "esc-bad-mailbox": {"smtp.esc.bad-mailbox"},
    "esc-bad-recipient": {"smtp.esc.bad-address-syntax#two-at", "smtp.esc.bad-address-syntax#unclosed"},
    "esc-bad-sender": {"smtp.esc.bad-sender-syntax#two-at", "smtp.esc.bad-sender-syntax#unclosed"},
    "esc-mailbox-full": {"smtp.esc.mailbox-full"},
    "esc-size-too-big": {"smtp.esc.too-big#declared"},
    "esc-message-too-big": {"smtp.esc.too-big#sent"},
    "esc-too-many-recipients": {"smtp.esc.too-many-recipients"},
    "esc-relay-denied": {"smtp.esc.relay-denied"},
}
