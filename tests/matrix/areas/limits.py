"""What the faults in size limits break."""

from dataclasses import replace

from tests.matrix import laboratory

CASES = ("smtp.limit.",)
LIMITS = replace(laboratory.LIMITS, recipients=150)     # enough for a hundred, and soon found

BREAKS = {
    "limit-local-part-63": {"smtp.limit.local-part-64", "smtp.limit.path-256"},
    "limit-local-part-63-of-recipients": {"smtp.limit.local-part-64", "smtp.limit.path-256#rcpt"},
    "limit-local-part-20": {"smtp.limit.local-part-64", "smtp.limit.path-256"},
    "limit-domain-200": {"smtp.limit.domain-255"},
    "limit-domain-128": {"smtp.limit.domain-255", "smtp.limit.path-256"},
    "limit-path-255": {"smtp.limit.path-256"},
    "limit-path-255-of-recipients": {"smtp.limit.path-256#rcpt"},
    "limit-command-510": {"smtp.limit.command-512#511", "smtp.limit.command-512#512"},
    "limit-command-511": {"smtp.limit.command-512#512"},
    "limit-command-closes": {"smtp.limit.command-512#512"},
    "limit-command-cut": {"smtp.limit.command-512#512", "smtp.limit.command-unbounded", "smtp.limit.mail-extended"},
    "limit-flood-starves": {"core.survives-input#smtp.limit.command-unbounded", "smtp.limit.command-unbounded"},
    "limit-flood-cut": {"smtp.limit.command-unbounded"},
    "limit-mail-512": {"smtp.limit.mail-extended"},
    "limit-line-999": {"smtp.limit.header-line-998", "smtp.limit.text-line-1000", "smtp.limit.text-line-1000-stuffed"},
    "limit-line-1000-stuffed": {"smtp.limit.text-line-1000-stuffed"},
    "limit-line-cut-500": {
        "smtp.limit.header-line-998",
        "smtp.limit.text-line-1000",
        "smtp.limit.text-line-1000-stuffed",
    },
    "limit-line-folds-990": {
        "smtp.limit.header-line-998",
        "smtp.limit.text-line-1000",
        "smtp.limit.text-line-1000-stuffed",
    },
    "limit-header-line-500": {"smtp.limit.header-line-998"},
    "limit-header-line-cut": {"smtp.limit.header-line-998"},
    "limit-message-64k": {"smtp.limit.message-64k"},
    "limit-recipients-99": {"smtp.limit.rcpt-100"},
    "limit-recipients-50-550": {"smtp.limit.rcpt-100"},
    "limit-recipients-hangs-up-at-60": {"smtp.limit.rcpt-100"},
    "limit-recipients-450": {"smtp.limit.rcpt-over-452"},
    "limit-recipients-hangs-up": {"smtp.limit.rcpt-over-452"},
    "limit-recipients-forgets-all": {"smtp.limit.rcpt-over-keeps"},
    "limit-recipients-forgets-first": {"smtp.limit.rcpt-over-keeps"},
    "limit-recipients-forgets-last": {"smtp.limit.rcpt-over-keeps"},
    "limit-received-50": {"smtp.limit.received-99"},
    "limit-received-none": {"smtp.limit.received-loop"},
    "limit-size-hidden": {"smtp.limit.size-advertised"},
}
