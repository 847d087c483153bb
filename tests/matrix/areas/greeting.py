"""What the faults in the greeting break."""

CASES = ("smtp.greet.",)

BREAKS = {
    "greet-nothing": {"smtp.greet.sent"},
    "greet-250": {"smtp.greet.code", "smtp.greet.early-talker", "smtp.greet.grammar", "smtp.reply.command-table"},
    "greet-550": {"smtp.greet.code", "smtp.reply.command-table"},
    "greet-nobody": {"smtp.greet.fqdn", "smtp.greet.grammar"},
    "greet-stars": {"smtp.greet.fqdn", "smtp.greet.grammar"},
    "greet-space": {"smtp.greet.fqdn", "smtp.greet.grammar"},
    "greet-bad-literal": {"smtp.greet.fqdn", "smtp.greet.grammar", "smtp.greet.name-not-literal"},
    "greet-underscore": {"smtp.greet.fqdn", "smtp.greet.grammar"},
    "greet-hyphen": {"smtp.greet.fqdn", "smtp.greet.grammar"},
    "greet-bare-name": {"smtp.greet.fqdn"},
    "greet-literal": {"smtp.greet.name-not-literal"},
    "greet-when-asked": {"smtp.greet.no-client-speech-needed"},
    "greet-second": {"smtp.greet.early-talker", "smtp.greet.no-client-speech-needed", "smtp.reply.command-table"},
    "greet-version": {"smtp.greet.banner-version"},
    "ehlo-version": {"smtp.greet.banner-version"},
    "help-version": {"smtp.greet.banner-version"},
    "quit-version": {"smtp.greet.banner-version"},
}
