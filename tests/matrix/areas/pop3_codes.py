"""What the faults in response codes, LOGIN-DELAY and EXPIRE break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.resp-codes.", "pop3.login-delay.", "pop3.expire.",)
# A silence takes its whole time, and the cases wait for each other's maildrops meanwhile.
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "in-use-for-strangers": {
        "pop3.resp-codes.in-use-after-auth#apop",
        "pop3.resp-codes.in-use-after-auth#cram-md5",
        "pop3.resp-codes.in-use-after-auth#plain",
        "pop3.resp-codes.in-use-after-auth#user",
    },
    "in-use-at-user": {"pop3.resp-codes.in-use-after-auth#user"},
    "auth-code-missing": {
        "pop3.resp-codes.auth#apop",
        "pop3.resp-codes.auth#cram-md5",
        "pop3.resp-codes.auth#nobody-by-apop",
        "pop3.resp-codes.auth#nobody-by-cram-md5",
        "pop3.resp-codes.auth#nobody-by-plain",
        "pop3.resp-codes.auth#nobody-by-user",
        "pop3.resp-codes.auth#plain",
        "pop3.resp-codes.auth#user",
    },
    "auth-code-missing-in-auth": {
        "pop3.resp-codes.auth#cram-md5",
        "pop3.resp-codes.auth#nobody-by-cram-md5",
        "pop3.resp-codes.auth#nobody-by-plain",
        "pop3.resp-codes.auth#plain",
    },
    "auth-code-other": {
        "pop3.resp-codes.auth#apop",
        "pop3.resp-codes.auth#cram-md5",
        "pop3.resp-codes.auth#nobody-by-apop",
        "pop3.resp-codes.auth#nobody-by-cram-md5",
        "pop3.resp-codes.auth#nobody-by-plain",
        "pop3.resp-codes.auth#nobody-by-user",
        "pop3.resp-codes.auth#plain",
        "pop3.resp-codes.auth#user",
    },
    "auth-code-for-known-only": {"pop3.resp-codes.auth#nobody-by-apop", "pop3.resp-codes.auth#nobody-by-user"},
    "resp-code-unclosed": {
        "pop3.resp-codes.auth#apop",
        "pop3.resp-codes.auth#cram-md5",
        "pop3.resp-codes.auth#nobody-by-apop",
        "pop3.resp-codes.auth#nobody-by-cram-md5",
        "pop3.resp-codes.auth#nobody-by-plain",
        "pop3.resp-codes.auth#nobody-by-user",
        "pop3.resp-codes.auth#plain",
        "pop3.resp-codes.auth#user",
        "pop3.resp-codes.form",
    },
    "login-delay-none": {"pop3.login-delay.honest"},
    "expire-words": {"pop3.expire.form#after-login", "pop3.expire.form#before-login"},
    "expire-alone": {"pop3.expire.form#after-login"},
    "expire-negative": {"pop3.expire.form#after-login", "pop3.expire.form#before-login"},
    "expire-never-deletes": {"pop3.expire.zero"},
}
