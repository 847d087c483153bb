"""What the faults in QUIT, and those in what a broken session leaves behind, break."""

PROTOCOL = "pop3"
CASES = (
    "pop3.quit.commits", "pop3.quit.only-marked", "pop3.quit.reply-then-close", "pop3.drop.keeps-all",
    "pop3.drop.quit-no-crlf", "pop3.drop.after-quit-unread",
)  # fmt: skip

BREAKS = {
    "update-removes-nothing": {"pop3.quit.commits#one", "pop3.quit.commits#two"},
    "update-removes-the-next": {
        "pop3.quit.commits#one",
        "pop3.quit.commits#two",
        "pop3.quit.only-marked#first",
        "pop3.quit.only-marked#second",
        "pop3.quit.only-marked#two",
    },
    "update-removes-up-to": {"pop3.quit.only-marked#last", "pop3.quit.only-marked#second", "pop3.quit.only-marked#two"},
    "update-removes-from": {"pop3.quit.only-marked#first", "pop3.quit.only-marked#second", "pop3.quit.only-marked#two"},
    "update-removes-everything": {"pop3.quit.only-marked#two"},
    "update-removes-while-moving": {"pop3.quit.commits#two"},
    "update-without-a-word": {"pop3.quit.reply-then-close#transaction"},
    "update-without-a-word-before-login": {"pop3.quit.reply-then-close#authorization"},
    "update-refused": {"pop3.quit.reply-then-close#transaction"},
    "update-stays": {"pop3.quit.reply-then-close#authorization", "pop3.quit.reply-then-close#transaction"},
    "update-stays-before-login": {"pop3.quit.reply-then-close#authorization"},
    "drop-updates": {
        "pop3.drop.keeps-all#fin",
        "pop3.drop.keeps-all#half-a-dele",
        "pop3.drop.keeps-all#half-a-quit",
        "pop3.drop.keeps-all#half-closed",
        "pop3.drop.keeps-all#reset",
        "pop3.drop.quit-no-crlf#cr-alone",
        "pop3.drop.quit-no-crlf#no-crlf",
    },
    "drop-takes-the-line": {"pop3.drop.quit-no-crlf#cr-alone", "pop3.drop.quit-no-crlf#no-crlf"},
    "drop-takes-beginnings": {"pop3.drop.keeps-all#half-a-quit"},
}
