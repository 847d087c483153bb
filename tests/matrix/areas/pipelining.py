"""What the faults in reading and answering groups of commands break."""

CASES = ("smtp.pipe.",)

BREAKS = {
    "pipe-parameter": {"smtp.pipe.no-param"},
    "pipe-holds-ehlo": {"smtp.pipe.no-hold-ehlo"},
    "pipe-holds-noop": {"smtp.pipe.big-group", "smtp.pipe.no-hold-noop#noop"},
    "pipe-holds-vrfy": {"smtp.pipe.no-hold-noop#vrfy"},
    "pipe-holds-expn": {"smtp.pipe.no-hold-noop#expn"},
    "pipe-holds-quit": {"smtp.pipe.no-hold-noop#quit", "smtp.pipe.quit-after-dot"},
    "pipe-holds-unknown": {"smtp.pipe.no-hold-unknown"},
    "pipe-holds-rcpt": {"smtp.pipe.count", "smtp.pipe.flush-when-idle", "smtp.pipe.order", "smtp.pipe.rset-first"},
    "pipe-swaps": {"smtp.pipe.order"},
    "pipe-loses-of-many": {"smtp.pipe.count"},
    "pipe-loses-of-much": {"smtp.pipe.big-group"},
    "pipe-loses-behind-dot": {"smtp.pipe.body-then-next", "smtp.pipe.no-input-loss", "smtp.pipe.quit-after-dot"},
    "pipe-loses-behind-error": {"smtp.pipe.loss-after-error"},
    "pipe-waits-for-whole-lines": {"smtp.pipe.flush-half-command"},
    "pipe-counts-on-data": {"smtp.pipe.no-lookahead", "smtp.pipe.split-anywhere"},
    "pipe-no-leading-rset": {
        "smtp.pipe.no-input-loss",
        "smtp.pipe.no-lookahead",
        "smtp.pipe.rset-first",
        "smtp.pipe.split-anywhere",
    },
    "pipe-loses-a-lf": {"smtp.pipe.split-anywhere"},
    "pipe-loses-a-lf-in-tls": {"smtp.pipe.under-tls"},
    "pipe-loses-lone-spaces": {"smtp.pipe.one-octet-writes"},
    "pipe-same-words": {"smtp.pipe.reply-names-command"},
    "pipe-takes-somebody-else": {"smtp.pipe.data-needs-rcpt", "smtp.pipe.empty-no-send"},
    "pipe-one-refusal": {"smtp.pipe.partial-failure-body"},
}
