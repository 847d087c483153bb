"""What the faults in how a command line is read break."""

PROTOCOL = "pop3"
CASES = (
    "pop3.cmd.arg-",
    "pop3.cmd.trailing-space",
    "pop3.cmd.255",
    "pop3.cmd.over-long",
    "pop3.cmd.empty-line",
    "pop3.cmd.odd-verb",
    "pop3.cmd.bare-",
    "pop3.cmd.fragmented",
    "pop3.cmd.survives-errors",
)

BREAKS = {
    "pop3-names-of-30": {"pop3.cmd.255#user", "pop3.cmd.arg-40#user"},
    "pop3-passwords-of-30": {"pop3.cmd.255#pass", "pop3.cmd.arg-40#pass"},
    "pop3-lines-of-128": {"pop3.cmd.255#pass", "pop3.cmd.255#user"},
    "pop3-cuts-at-200": {
        "pop3.cmd.255#pass",
        "pop3.cmd.255#user",
        "pop3.cmd.over-long#endless",
        "pop3.cmd.over-long#line",
    },
    "pop3-cuts-at-512": {"pop3.cmd.over-long#endless", "pop3.cmd.over-long#line"},
    "pop3-echoes-long-lines": {"pop3.cmd.over-long#endless", "pop3.cmd.over-long#line"},
    "pop3-empty-line-unanswered": {
        "pop3.cmd.empty-line#before-login",
        "pop3.cmd.empty-line#logged-in",
        "pop3.cmd.odd-verb#space",
    },
    "pop3-empty-line-ends": {
        "pop3.cmd.empty-line#before-login",
        "pop3.cmd.empty-line#logged-in",
        "pop3.cmd.odd-verb#space",
    },
    "pop3-empty-line-taken": {
        "pop3.cmd.empty-line#before-login",
        "pop3.cmd.empty-line#logged-in",
        "pop3.cmd.odd-verb#space",
    },
    "pop3-odd-verb-ends": {
        "pop3.cmd.odd-verb#colon",
        "pop3.cmd.odd-verb#dot",
        "pop3.cmd.odd-verb#percent",
        "pop3.cmd.odd-verb#star",
        "pop3.cmd.odd-verb#user-colon",
    },
    "pop3-binary-unanswered": {"pop3.cmd.odd-verb#0xff", "pop3.cmd.odd-verb#nul"},
    "pop3-lf-is-a-line": {"pop3.cmd.bare-lf#before-login", "pop3.cmd.bare-lf#logged-in"},
    "pop3-cr-is-a-line": {"pop3.cmd.bare-cr#amid", "pop3.cmd.bare-cr#at-the-end", "pop3.cmd.bare-cr#before-lf-later"},
    "pop3-reads-segments": {
        "pop3.cmd.empty-line#before-login",
        "pop3.cmd.empty-line#logged-in",
        "pop3.cmd.fragmented#inside-crlf",
        "pop3.cmd.fragmented#octets",
        "pop3.cmd.fragmented#words",
    },
    "pop3-loses-cr": {"pop3.cmd.fragmented#inside-crlf", "pop3.cmd.fragmented#octets"},
    "pop3-offended": {"pop3.cmd.survives-errors"},
}
