"""What the faults in MAIL and RCPT break."""

from dataclasses import replace

from tests.matrix import laboratory

CASES = ("smtp.mail.", "smtp.rcpt.")
LIMITS = replace(laboratory.LIMITS, smtp_idle_s=900.0)     # it outlasts who waits five minutes for an answer

BREAKS = {
    "mail-354": {"smtp.mail.accepts", "smtp.mail.class-of-refusal", "smtp.reply.command-table"},
    "mail-null-unknown": {"smtp.mail.null-path-accepted", "smtp.mail.null-path-syntax"},
    "mail-null-refused": {"smtp.mail.null-path-accepted"},
    "mail-without-path": {"smtp.mail.no-argument#alone", "smtp.mail.no-argument#from"},
    "mail-takes-anything": {
        "smtp.mail.bad-argument-501#no-colon",
        "smtp.mail.bad-argument-501#no-from",
        "smtp.mail.bad-argument-501#two-at",
        "smtp.mail.bad-argument-501#unclosed",
    },
    "mail-refused-once": {"smtp.mail.bad-keeps-state"},
    "mail-nests": {"smtp.mail.nested"},
    "mail-any-parameter": {
        "smtp.mail.malformed-parameter#empty-value",
        "smtp.mail.malformed-parameter#equals-first",
        "smtp.mail.malformed-parameter#two-equals",
        "smtp.mail.unknown-parameter",
    },
    "mail-no-routes": {"smtp.mail.source-route"},
    "mail-no-literals": {"smtp.mail.address-literal#v4", "smtp.mail.address-literal#v6"},
    "mail-lowers-case": {"smtp.mail.case-preserved"},
    "mail-once": {"smtp.mail.many-transactions"},
    "rcpt-354": {"smtp.rcpt.accepts", "smtp.rcpt.refusal-code", "smtp.rcpt.undeliverable", "smtp.reply.command-table"},
    "rcpt-before-mail-554": {"smtp.rcpt.before-mail"},
    "rcpt-takes-rejected": {"smtp.rcpt.undeliverable"},
    "rcpt-refuses-with-500": {"smtp.rcpt.refusal-code"},
    "rcpt-only-one": {
        "smtp.rcpt.domain-case",
        "smtp.rcpt.quoted-equivalent",
        "smtp.rcpt.quoted-pair-equivalent",
        "smtp.rcpt.rejected-keeps-others",
        "smtp.rcpt.several",
        "smtp.rcpt.unknown-parameter",
    },
    "rcpt-bad-ends-all": {"smtp.rcpt.partial-failure-data", "smtp.rcpt.rejected-keeps-others"},
    "rcpt-last-decides": {"smtp.rcpt.partial-failure-data"},
    "rcpt-no-routes": {"smtp.rcpt.source-route-recognised", "smtp.rcpt.source-route-stripped"},
    "rcpt-loses-routed": {"smtp.rcpt.source-route-stripped"},
    "rcpt-domain-case": {"smtp.rcpt.domain-case"},
    "rcpt-no-quotes": {"smtp.rcpt.quoted-equivalent"},
    "rcpt-no-quoted-pairs": {"smtp.rcpt.quoted-pair-equivalent"},
    "rcpt-any-parameter": {"smtp.rcpt.unknown-parameter"},
    "rcpt-null": {"smtp.rcpt.null-path"},
    "rcpt-without-path": {"smtp.rcpt.no-argument#alone", "smtp.rcpt.no-argument#to"},
    "rcpt-hangs-up": {"smtp.rcpt.empty-quoted"},
    "rcpt-no-literals": {"smtp.rcpt.own-literal"},
    "rcpt-unanswered": {"smtp.rcpt.reply-latency"},
}
