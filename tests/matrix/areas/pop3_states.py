"""What the faults in arguments, and in what may be said when, break."""

PROTOCOL = "pop3"
CASES = ("pop3.cmd.syntax-invalid", "pop3.cmd.wrong-state", "pop3.cmd.noop-before-login", "pop3.cmd.extra-args")

BREAKS = {
    "pop3-retr-of-anything": {"pop3.cmd.syntax-invalid#retr-word"},
    "pop3-retr-needs-no-number": {"pop3.cmd.syntax-invalid#retr-none"},
    "pop3-dele-of-anything": {"pop3.cmd.syntax-invalid#dele-word"},
    "pop3-dele-needs-no-number": {"pop3.cmd.syntax-invalid#dele-none"},
    "pop3-lists-whatever": {
        "pop3.cmd.syntax-invalid#list-two-words",
        "pop3.cmd.syntax-invalid#list-word",
        "pop3.cmd.syntax-invalid#uidl-word",
        "pop3.uidl.chars",
    },
    "pop3-top-needs-no-number": {"pop3.cmd.syntax-invalid#top-none"},
    "pop3-top-needs-no-lines": {"pop3.cmd.syntax-invalid#top-one"},
    "pop3-top-of-anything": {"pop3.cmd.syntax-invalid#top-word"},
    "pop3-top-of-odd-lines": {
        "pop3.cmd.extra-args#top",
        "pop3.cmd.syntax-invalid#top-lines-word",
        "pop3.cmd.syntax-invalid#top-negative",
    },
    "pop3-stat-before-login": {
        "pop3.cmd.wrong-state#after-a-cancelled-login",
        "pop3.cmd.wrong-state#after-a-failed-login",
        "pop3.cmd.wrong-state#after-user",
        "pop3.cmd.wrong-state#stat",
    },
    "pop3-lists-before-login": {
        "pop3.cmd.wrong-state#list",
        "pop3.cmd.wrong-state#list-1",
        "pop3.cmd.wrong-state#uidl",
    },
    "pop3-retr-before-login": {"pop3.cmd.wrong-state#retr-1", "pop3.cmd.wrong-state#top-1-0"},
    "pop3-marks-before-login": {"pop3.cmd.wrong-state#dele-1", "pop3.cmd.wrong-state#rset"},
    "pop3-state-unanswered": {"pop3.cmd.wrong-state#stat"},
    "pop3-user-opens": {"pop3.cmd.wrong-state#after-a-failed-login", "pop3.cmd.wrong-state#after-user"},
    "pop3-failure-opens": {"pop3.cmd.wrong-state#after-a-failed-login"},
    "pop3-cancelling-opens": {"pop3.cmd.wrong-state#after-a-cancelled-login"},
    "pop3-user-again": {"pop3.cmd.wrong-state-auth#user"},
    "pop3-pass-again": {"pop3.cmd.wrong-state-auth#pass"},
    "pop3-apop-again": {"pop3.cmd.wrong-state-auth#apop"},
    "pop3-auth-when-logged-in": {"pop3.cmd.wrong-state-auth#auth"},
    "pop3-noop-everywhere": {"pop3.cmd.noop-before-login"},
    "pop3-arguments-ignored": {
        "pop3.cmd.extra-args#dele",
        "pop3.cmd.extra-args#list",
        "pop3.cmd.extra-args#noop",
        "pop3.cmd.extra-args#quit",
        "pop3.cmd.extra-args#retr",
        "pop3.cmd.extra-args#rset",
        "pop3.cmd.extra-args#stat",
        "pop3.cmd.extra-args#top",
        "pop3.cmd.extra-args#uidl",
    },
}
