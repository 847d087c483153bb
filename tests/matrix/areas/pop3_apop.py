"""What the faults in APOP break."""

PROTOCOL = "pop3"
CASES = ("pop3.apop.banner-form", "pop3.apop.ok", "pop3.apop.bad")

BREAKS = {
    "apop-stamp-unclosed": {"pop3.apop.banner-form"},
    "apop-stamp-unopened": {"pop3.apop.banner-form"},
    "apop-stamp-without-at": {"pop3.apop.banner-form", "pop3.apop.ok"},
    "apop-stamp-spaced": {"pop3.apop.banner-form"},
    "apop-refused": {"pop3.apop.ok"},
    "apop-unknown": {"pop3.apop.ok"},
    "apop-upper-case": {"pop3.apop.ok"},
    "apop-any-digest": {
        "pop3.apop.bad#last-digit",
        "pop3.apop.bad#no-secret",
        "pop3.apop.bad#no-timestamp",
        "pop3.apop.bad#other-order",
        "pop3.apop.bad#other-session",
        "pop3.apop.bad#wrong-secret",
        "pop3.apop.bad#zeros",
    },
    "apop-begins-right": {"pop3.apop.bad#one-digit", "pop3.apop.bad#short"},
    "apop-more-than-right": {"pop3.apop.bad#long"},
    "apop-all-but-one": {"pop3.apop.bad#last-digit", "pop3.apop.bad#long", "pop3.apop.bad#short"},
    "apop-without-secret": {"pop3.apop.bad#no-secret"},
    "apop-without-stamp": {"pop3.apop.bad#no-timestamp"},
    "apop-either-order": {"pop3.apop.bad#other-order"},
    "apop-in-clear": {"pop3.apop.bad#in-clear"},
    "apop-needs-no-digest": {"pop3.apop.bad#no-digest"},
    "apop-alone-taken": {"pop3.apop.bad#no-name"},
    "apop-replayed": {"pop3.apop.bad#other-session"},
}
