"""What the faults in APOP's timestamps break: a thousand greetings are looked at."""

PROTOCOL = "pop3"
CASES = ("pop3.apop.banner-unique",)

BREAKS = {
    "apop-stamp-constant": {"pop3.apop.banner-unique"},
    "apop-stamp-by-the-second": {"pop3.apop.banner-unique"},
    "apop-stamp-wraps": {"pop3.apop.banner-unique"},
}
