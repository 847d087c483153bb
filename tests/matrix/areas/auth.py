"""What the faults in AUTH and PLAIN break."""

CASES = ("smtp.auth.", "sasl.plain.")

BREAKS = {
    "auth-odd-name": {"smtp.auth.keyword-form"},
    "auth-knows-all": {"smtp.auth.unknown-mech"},
    "auth-needs-no-mechanism": {"smtp.auth.no-mech"},
    "auth-before-hello": {"smtp.auth.before-ehlo"},
    "auth-minds-case": {"smtp.auth.mech-case"},
    "auth-no-initial-response": {"smtp.auth.bad-password", "smtp.auth.initial-response"},
    "auth-wants-initial-response": {
        "smtp.auth.in-transaction",
        "smtp.auth.no-initial-response",
        "smtp.auth.second",
        "smtp.auth.second-after-ehlo",
    },
    "auth-talks": {"smtp.auth.empty-challenge"},
    "auth-takes-cancel": {"smtp.auth.cancel", "smtp.reply.command-table"},
    "auth-takes-empty": {"smtp.auth.empty-response"},
    "auth-takes-no-alphabet": {"smtp.auth.bad-base64#no-alphabet"},
    "auth-takes-agfiy": {"smtp.auth.bad-base64#leftover"},
    "auth-takes-aaa": {"smtp.auth.pad-in-middle#pad-first"},
    "auth-takes-aaabbb": {"smtp.auth.pad-in-middle#pad-within"},
    "auth-once-begun": {"smtp.auth.cancel-keeps-session"},
    "auth-bad-initial": {"smtp.auth.bad-ir-base64"},
    "auth-extra": {"smtp.auth.extra-args"},
    "auth-again": {"smtp.auth.second", "smtp.auth.second-after-ehlo"},
    "auth-again-after-ehlo": {"smtp.auth.second-after-ehlo"},
    "auth-in-transaction": {"smtp.auth.in-transaction"},
    "auth-not-after-mail": {"smtp.auth.after-rset"},
    "auth-one-chance": {"smtp.auth.retry-after-failure", "smtp.auth.user-enum-reply"},
    "auth-any-password": {"smtp.auth.really-checks#wrong"},
    "auth-empty-fields": {
        "sasl.plain.empty-fields#login",
        "sasl.plain.empty-fields#password",
        "smtp.auth.really-checks#empty",
    },
    "auth-prefix": {"smtp.auth.bad-password", "smtp.auth.really-checks#longer", "smtp.auth.user-enum-reply"},
    "auth-550": {"smtp.auth.bad-password", "smtp.reply.command-table"},
    "auth-tells-who-exists": {"smtp.auth.user-enum-reply"},
    "auth-runs-commands": {
        "smtp.auth.command-in-exchange#quit",
        "smtp.auth.command-in-exchange#rset",
        "smtp.reply.command-table",
    },
    "auth-form": {"sasl.plain.structure#no-nul", "sasl.plain.structure#one-nul", "sasl.plain.structure#three-nuls"},
    "auth-no-actor": {"sasl.plain.same-authzid"},
}
