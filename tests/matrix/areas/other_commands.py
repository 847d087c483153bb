"""What the faults in RSET, NOOP, HELP, VRFY, EXPN and QUIT break."""

CASES = ("smtp.rset.", "smtp.noop.", "smtp.help.", "smtp.vrfy.", "smtp.expn.", "smtp.quit.")

BREAKS = {
    "rset-220": {
        "smtp.rset.replies-250", "smtp.rset.before-ehlo", "smtp.rset.repeatable", "smtp.reply.command-table",
    },
    "rset-keeps-envelope": {
        "smtp.rset.clears-envelope#data", "smtp.rset.clears-envelope#rcpt", "smtp.rset.keeps-session",
    },
    "rset-wants-hello": {"smtp.rset.before-ehlo"},
    "rset-closes": {"smtp.rset.no-close"},
    "rset-ends-session": {"smtp.rset.keeps-session"},
    "rset-logs-out": {"smtp.rset.keeps-auth"},
    "noop-251": {
        "smtp.noop.replies-250", "smtp.noop.ignores-argument", "smtp.noop.before-ehlo", "smtp.reply.command-table",
    },
    "noop-refuses-argument": {"smtp.noop.ignores-argument"},
    "noop-forgets-envelope": {"smtp.noop.keeps-envelope"},
    "noop-wants-hello": {"smtp.noop.before-ehlo"},
    "help-unknown": {"smtp.help.supported"},
    "help-forgets-envelope": {"smtp.help.keeps-envelope"},
    "help-wants-hello": {"smtp.help.before-ehlo"},
    "vrfy-unknown": {"smtp.vrfy.recognised", "smtp.vrfy.disabled-252", "smtp.cmd.required-verbs#vrfy"},
    "vrfy-disabled-550": {"smtp.vrfy.not-always-550", "smtp.vrfy.disabled-252"},
    "vrfy-confirms-anybody": {
        "smtp.vrfy.no-false-250#declared", "smtp.vrfy.no-false-250#random", "smtp.vrfy.disabled-252",
    },
    "vrfy-names-nobody": {"smtp.vrfy.mailbox-in-250", "smtp.vrfy.enumeration", "smtp.vrfy.disabled-252"},
    "vrfy-forgets-envelope": {"smtp.vrfy.keeps-envelope"},
    "vrfy-wants-hello": {"smtp.vrfy.before-ehlo"},
    "vrfy-without-name": {"smtp.vrfy.no-argument"},
    "expn-confirms-anybody": {"smtp.expn.no-false-250", "smtp.expn.unauthenticated"},
    "expn-crowded": {"smtp.expn.one-per-line", "smtp.expn.unauthenticated"},
    "expn-forgets-envelope": {"smtp.expn.keeps-envelope"},
    "quit-250": {"smtp.quit.replies-221", "smtp.quit.before-ehlo", "smtp.reply.command-table"},
    "quit-stays": {"smtp.quit.closes"},
    "quit-wants-hello": {"smtp.quit.before-ehlo"},
    "quit-delivers": {"smtp.quit.aborts"},
}
