"""What the faults in ETRN, and in the parameters and limits that few servers have, break."""

from dataclasses import replace

from conformance.refserver.behaviour import Extension
from tests.matrix import laboratory

CASES = (
    "smtp.etrn.", "smtp.turn.", "smtp.requiretls.", "smtp.deliverby.", "smtp.mtpriority.", "smtp.futurerelease.",
    "smtp.limits.values", "smtp.limits.rcptmax-honest", "smtp.limits.mailmax-honest",
)
CHOICES = {"extensions": frozenset(Extension)}
LIMITS = replace(laboratory.LIMITS, recipients=20, mails=10)

BREAKS = {
    "etrn-no": {"smtp.etrn.known"},
    "etrn-go-on": {"smtp.etrn.unknown", "smtp.reply.command-table"},
    "etrn-silent": {"smtp.etrn.flood", "smtp.etrn.unknown"},
    "etrn-for-nobody": {"smtp.etrn.no-arg"},
    "etrn-any-name": {
        "smtp.etrn.bad-arg#dots",
        "smtp.etrn.bad-arg#hyphen",
        "smtp.etrn.bad-arg#octet",
        "smtp.etrn.bad-arg#two",
    },
    "etrn-nests": {"smtp.etrn.in-transaction"},
    "etrn-turns": {"smtp.etrn.same-connection", "smtp.reply.known-codes", "smtp.reply.three-digits"},
    "etrn-takes-tricks": {
        "smtp.etrn.injection#dollar",
        "smtp.etrn.injection#hash",
        "smtp.etrn.injection#quote",
        "smtp.etrn.injection#semicolon",
        "smtp.etrn.injection#sql",
    },
    "etrn-runs-tricks": {"smtp.etrn.injection#dollar", "smtp.etrn.injection#semicolon"},
    "etrn-tires": {"smtp.etrn.flood"},
    "turn-works": {"smtp.turn.refused"},
    "by-refused": {"smtp.deliverby.syntax#notify", "smtp.deliverby.syntax#return", "smtp.deliverby.syntax#trace"},
    "by-any": {
        "smtp.deliverby.syntax#mode",
        "smtp.deliverby.syntax#no-mode",
        "smtp.deliverby.syntax#no-number",
        "smtp.deliverby.syntax#twice",
    },
    "by-zero": {"smtp.deliverby.syntax#zero"},
    "by-less": {"smtp.deliverby.min"},
    "priority-refused": {"smtp.mtpriority.syntax#least", "smtp.mtpriority.syntax#most", "smtp.mtpriority.syntax#none"},
    "priority-any": {
        "smtp.mtpriority.syntax#below",
        "smtp.mtpriority.syntax#ten",
        "smtp.mtpriority.syntax#twice",
        "smtp.mtpriority.syntax#word",
    },
    "hold-in-vain": {"smtp.futurerelease.syntax#for"},
    "hold-any": {"smtp.futurerelease.syntax#both", "smtp.futurerelease.syntax#over", "smtp.futurerelease.syntax#word"},
    "requiretls-in-clear": {"smtp.requiretls.tls-only"},
    "requiretls-value": {"smtp.requiretls.no-value"},
    "requiretls-taken-in-clear": {"smtp.requiretls.in-clear"},
    "requiretls-forgotten": {"smtp.requiretls.header-ignored", "smtp.requiretls.no-downgrade"},
    "limits-words": {"smtp.limits.values"},
    "limits-odd": {"smtp.limits.values"},
    "limits-fewer-recipients": {"smtp.limits.rcptmax-honest"},
    "limits-more-recipients": {"smtp.limits.rcptmax-honest"},
    "limits-fewer-mails": {"smtp.limits.mailmax-honest"},
}
