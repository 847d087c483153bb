"""What the faults in APOP break where it is not offered."""

PROTOCOL = "pop3"
CASES = ("pop3.apop.not-offered",)
CHOICES = {"apop": False}

BREAKS = {
    "apop-unoffered": {"pop3.apop.not-offered#secret"},
    "apop-empty-stamp": {"pop3.apop.not-offered#empty-timestamp"},
}
