"""What the faults in POP3's PIPELINING break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.pipe.",)
# A silence takes its whole time, and the cases wait for each other's maildrops meanwhile.
DECLARED = with_fields(laboratory.DECLARED, timers=with_fields(laboratory.DECLARED.timers, reply=5.0))

BREAKS = {
    "pipe-first-only": {
        "pop3.pipe.bad-login",
        "pop3.pipe.flush#errors",
        "pop3.pipe.flush#group",
        "pop3.pipe.login#apop",
        "pop3.pipe.login#plain",
        "pop3.pipe.login#user",
        "pop3.pipe.order#all",
        "pop3.pipe.order#capa-between",
        "pop3.pipe.order#cut-anywhere",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.order#errors",
        "pop3.pipe.quit-last#half-closed",
        "pop3.pipe.thousand",
    },
    "pipe-last-lost": {
        "pop3.pipe.bad-login",
        "pop3.pipe.flush#errors",
        "pop3.pipe.flush#group",
        "pop3.pipe.login#apop",
        "pop3.pipe.login#plain",
        "pop3.pipe.login#user",
        "pop3.pipe.order#all",
        "pop3.pipe.order#capa-between",
        "pop3.pipe.order#cut-anywhere",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.order#errors",
        "pop3.pipe.quit-last#half-closed",
        "pop3.pipe.thousand",
    },
    "pipe-reversed": {
        "pop3.pipe.bad-login",
        "pop3.pipe.login#apop",
        "pop3.pipe.login#plain",
        "pop3.pipe.login#user",
        "pop3.pipe.order#all",
        "pop3.pipe.order#cut-anywhere",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.order#errors",
        "pop3.pipe.quit-last#half-closed",
        "pop3.pipe.quit-last#open",
    },
    "pipe-once-each": {
        "pop3.pipe.flush#group",
        "pop3.pipe.order#capa-between",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.thousand",
    },
    "pipe-five-hundred": {"pop3.pipe.thousand"},
    "pipe-closes-on-many": {"pop3.pipe.thousand"},
    "pipe-cut-lines": {"pop3.pipe.order#cut-anywhere", "pop3.uidl.chars"},
    "pipe-lost-behind-login": {
        "pop3.pipe.bad-login",
        "pop3.pipe.login#apop",
        "pop3.pipe.login#plain",
        "pop3.pipe.login#user",
    },
    "pipe-lost-behind-apop": {"pop3.pipe.login#apop"},
    "pipe-lost-behind-retr": {
        "pop3.pipe.order#all",
        "pop3.pipe.order#capa-between",
        "pop3.pipe.order#cut-anywhere",
        "pop3.pipe.order#errors",
        "pop3.pipe.thousand",
    },
    "pipe-stat-for-anybody": {"pop3.pipe.bad-login"},
    "pipe-quits-first": {"pop3.pipe.quit-last#half-closed", "pop3.pipe.quit-last#open"},
    "pipe-held": {
        "pop3.pipe.bad-login",
        "pop3.pipe.flush#errors",
        "pop3.pipe.flush#group",
        "pop3.pipe.login#apop",
        "pop3.pipe.login#plain",
        "pop3.pipe.login#user",
        "pop3.pipe.order#all",
        "pop3.pipe.order#capa-between",
        "pop3.pipe.order#cut-anywhere",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.order#errors",
        "pop3.pipe.quit-last#half-closed",
        "pop3.uidl.chars",
    },
    "pipe-held-single": {"pop3.pipe.flush#one", "pop3.pipe.thousand"},
    "pipe-errors-last": {"pop3.pipe.order#cut-anywhere", "pop3.pipe.order#errors"},
    "pipe-flushed-by-errors": {
        "pop3.pipe.bad-login",
        "pop3.pipe.flush#errors",
        "pop3.pipe.order#dele-rset",
        "pop3.pipe.order#errors",
    },
}
