"""What the faults in answering break: too often, or not at all."""

CASES = ("smtp.reply.",)

BREAKS = {
    "twice-vrfy": {"smtp.reply.exactly-one#session"},
    "twice-help": {"smtp.reply.exactly-one#session"},
    "twice-ehlo": {
        "smtp.reply.502-vs-500",
        "smtp.reply.exactly-one#envelope",
        "smtp.reply.exactly-one#errors",
        "smtp.reply.exactly-one#long",
        "smtp.reply.exactly-one#session",
    },
    "twice-greeting": {
        "smtp.reply.exactly-one#errors",
        "smtp.reply.exactly-one#long",
        "smtp.reply.exactly-one#session",
    },
    "twice-rcpt": {"smtp.reply.exactly-one#envelope"},
    "twice-unknown": {"smtp.reply.502-vs-500", "smtp.reply.exactly-one#errors"},
    "twice-syntax": {"smtp.reply.exactly-one#errors"},
    "twice-long": {"smtp.reply.exactly-one#long"},
    "twice-end": {"smtp.reply.exactly-one#message"},
    "twice-quit": {"smtp.reply.exactly-one#quit"},
    "never-helo": {"smtp.reply.every-command"},
    "never-vrfy": {"smtp.reply.every-command"},
    "never-rset": {"smtp.reply.every-command"},
    "never-rcpt": {"smtp.reply.every-command"},
    "never-data": {"smtp.reply.every-command"},
    "never-quit": {"smtp.reply.every-command"},
    "never-unknown": {"smtp.reply.every-command"},
    "never-syntax": {"smtp.reply.every-command"},
    "unknown-is-not-implemented": {"smtp.reply.502-vs-500"},
    "vrfy-is-unknown": {"smtp.reply.502-vs-500"},
}
