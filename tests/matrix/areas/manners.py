"""What is broken where a server says too much, or listens to anybody."""

CASES = (
    "hard.banner-version",
    "hard.program-alias",
    "hard.vrfy-off",
    "hard.expn-off",
    "hard.debug-verbs",
    "hard.proxy-header",
    "hard.http-cross-protocol",
    "hard.fin-before-reply",
    "hard.self-rcpt-loop",
)

BREAKS = {
    "hard-loses-last-words": {"hard.fin-before-reply#dot", "hard.fin-before-reply#quit"},
    "hard-tells-version": {
        "hard.banner-version#ehlo",
        "hard.banner-version#greeting",
        "hard.banner-version#help",
        "hard.banner-version#received",
    },
    "hard-vrfy-tells": {"hard.vrfy-off"},
    "hard-decodes": {
        "hard.program-alias#decode", "hard.program-alias#decode-owner", "hard.program-alias#uudecode",
    },
    "hard-expn-lists": {"hard.expn-off"},
    "hard-debugs": {
        "hard.debug-verbs#debug",
        "hard.debug-verbs#kill",
        "hard.debug-verbs#onex",
        "hard.debug-verbs#showq",
        "hard.debug-verbs#verb",
        "hard.debug-verbs#wiz",
        "hard.debug-verbs#xauth",
        "hard.debug-verbs#xclient",
        "hard.debug-verbs#xexch50",
        "hard.debug-verbs#xforward",
    },
    "hard-believes-proxies": {"hard.proxy-header#v1", "hard.proxy-header#v2"},
    "hard-runs-http": {"hard.http-cross-protocol#get", "hard.http-cross-protocol#post"},
    "hard-loops": {"hard.self-rcpt-loop"},
}
