"""What the faults in who gets which message, how often, and what was never taken break."""

CASES = (
    "x.delivery.exactly-", "x.delivery.unknown-", "x.delivery.order", "x.delivery.latency", "x.delivery.refused-",
    "x.delivery.multi-", "x.delivery.duplicate-", "x.delivery.rejected-", "x.delivery.rset-", "x.delivery.abort-",
    "x.delivery.quit-", "x.delivery.smuggle-", "x.delivery.user-", "x.delivery.address-", "x.delivery.quoted-",
)

BREAKS = {
    "x-loses-one-of-five": {
        "x.delivery.exactly-once#in-a-row", "x.delivery.exactly-once#pipelined", "x.delivery.exactly-once-load",
    },
    "x-doubles-one-of-five": {
        "x.delivery.exactly-once#in-a-row", "x.delivery.exactly-once#pipelined", "x.delivery.exactly-once-load",
    },
    "x-copies-to-another": {
        "x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round", "x.delivery.user-isolation",
    },
    "x-shortens-one-of-five": {
        "x.delivery.exactly-once#in-a-row", "x.delivery.exactly-once#pipelined", "x.delivery.exactly-once-load",
    },
    "x-only-the-first": {"x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round"},
    "x-not-the-last": {"x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round"},
    "x-first-twice": {"x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round"},
    "x-all-to-the-first": {"x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round"},
    "x-rejected-go-elsewhere": {
        "x.delivery.rejected-rcpt-absent#both", "x.delivery.rejected-rcpt-absent#first",
        "x.delivery.rejected-rcpt-absent#last",
    },
    "x-keeps-what-it-refused": {"x.delivery.refused-absent#odd-content", "x.delivery.refused-absent#too-large"},
    "x-mail-for-nobody": {"x.delivery.refused-absent#no-recipient"},
    "x-rset-keeps-recipients": {"x.delivery.rset-absent#rset"},
    "x-hello-keeps-recipients": {"x.delivery.rset-absent#hello"},
    "x-rset-keeps-sender": {"x.delivery.rset-absent#sender"},
    "x-delivers-at-the-end": {
        "x.delivery.abort-absent#chunks-close", "x.delivery.abort-absent#chunks-reset",
        "x.delivery.abort-absent#close", "x.delivery.abort-absent#reset", "x.delivery.quit-mid-absent#after-rcpt",
        "x.delivery.quit-mid-absent#between-chunks",
    },
    "x-quit-delivers-chunks": {"x.delivery.quit-mid-absent#after-rcpt", "x.delivery.quit-mid-absent#between-chunks"},
    "x-domain-case": {
        "x.delivery.address-case#mixed", "x.delivery.address-case#swapped", "x.delivery.address-case#upper",
    },
    "x-domain-case-loses": {
        "x.delivery.address-case#mixed", "x.delivery.address-case#swapped", "x.delivery.address-case#upper",
    },
    "x-local-part-case": {
        "x.delivery.address-case#local-part", "x.delivery.postmaster#mixed", "x.delivery.postmaster#upper",
        "x.delivery.postmaster#upper-at-domain",
    },
    "x-no-quotes": {"x.delivery.quoted-equal"},
    "quit-delivers": {"x.delivery.quit-mid-absent#after-rcpt"},
    "delivers-twice": {
        "x.delivery.exactly-once#in-a-row", "x.delivery.exactly-once#one", "x.delivery.exactly-once#pipelined",
        "x.delivery.exactly-once-load", "x.delivery.multi-rcpt#all", "x.delivery.multi-rcpt#turned-round",
        "x.delivery.rejected-rcpt-absent#both", "x.delivery.rejected-rcpt-absent#first",
        "x.delivery.rejected-rcpt-absent#last", "x.delivery.unknown-outcome#close",
        "x.delivery.unknown-outcome#reset",
    },
    "delivers-what-was-cut-off": {"x.delivery.abort-absent#close", "x.delivery.abort-absent#reset"},
    "delivers-what-it-refused": {"x.delivery.refused-absent#too-large"},
    "ends-at-lf-dot-lf": {"x.delivery.smuggle-count"},
}
