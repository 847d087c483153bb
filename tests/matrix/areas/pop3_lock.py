"""What the faults in a maildrop's lock break: each case has a maildrop of its own."""

from tests.matrix.laboratory import with_maildrops

PROTOCOL = "pop3"
CASES = ("pop3.lock.", "pop3.quit.lock-released", "pop3.drop.lock-released")
DECLARED = with_maildrops(30)

BREAKS = {
    "lock-is-none": {"pop3.lock.exclusive"},
    "lock-shares-marks": {"pop3.lock.exclusive"},
    "lock-by-position": {"pop3.lock.both-quit", "pop3.lock.exclusive"},
    "lock-of-all": {"pop3.lock.other-users"},
    "lock-says-system": {"pop3.lock.in-use-code"},
    "lock-says-auth": {"pop3.lock.in-use-code"},
    "lock-kept-after-a-drop": {
        "pop3.drop.lock-released#amid-lines",
        "pop3.drop.lock-released#fin",
        "pop3.drop.lock-released#half-a-dele",
        "pop3.drop.lock-released#half-a-quit",
        "pop3.drop.lock-released#reset",
    },
    "lock-kept-after-quit": {"pop3.quit.lock-released"},
    "lock-kept-after-a-storm": {"pop3.lock.storm"},
    "lock-races": {"pop3.lock.storm"},
}
