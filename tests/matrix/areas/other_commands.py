"""What the faults in RSET, NOOP, HELP, VRFY, EXPN and QUIT break."""

CASES = ("smtp.rset.", "smtp.noop.", "smtp.help.", "smtp.vrfy.", "smtp.expn.", "smtp.quit.")

BREAKS = {
    "rset-220": {"smtp.rset.replies-250", "smtp.rset.before-ehlo", "smtp.rset.repeatable"},
    "rset-keeps-envelope": {
        "smtp.rset.clears-envelope#data", "smtp.rset.clears-envelope#rcpt", "smtp.rset.keeps-session",
    },
    "rset-wants-hello": {"smtp.rset.before-ehlo"},
    "rset-closes": {"smtp.rset.no-close"},
    "rset-ends-session": {"smtp.rset.keeps-session"},
    "rset-logs-out": {"smtp.rset.keeps-auth"},
    "noop-251": {"smtp.noop.replies-250", "smtp.noop.ignores-argument", "smtp.noop.before-ehlo"},
    "noop-refuses-argument": {"smtp.noop.ignores-argument"},
    "noop-forgets-envelope": {"smtp.noop.keeps-envelope"},
    "noop-wants-hello": {"smtp.noop.before-ehlo"},
}
