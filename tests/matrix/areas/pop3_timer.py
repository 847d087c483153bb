"""What the faults in the autologout timer break, over a wire that keeps nothing."""

from tests.matrix.laboratory import with_maildrops
from tests.matrix.wire import Wire

PROTOCOL = "pop3"
CASES = ("pop3.timer.", "pop3.retr.slow-reader")
DECLARED = with_maildrops(12)
WIRE = Wire(narrow=True)

BREAKS = {
    "timer-of-5-minutes": {"pop3.timer.during-retr", "pop3.timer.min-10", "pop3.timer.min-10#marked"},
    "timer-of-9-minutes": {"pop3.timer.min-10", "pop3.timer.min-10#marked"},
    "timer-shorter-if-marked": {"pop3.timer.min-10#marked"},
    "timer-runs-on": {"pop3.timer.reset-by-command", "pop3.timer.reset-by-error"},
    "timer-runs-on-at-errors": {"pop3.timer.reset-by-error"},
    "timer-updates": {"pop3.timer.no-delete"},
    "timer-says-so": {"pop3.timer.silent-close"},
    "timer-hurries-readers": {"pop3.retr.slow-reader", "pop3.timer.during-retr"},
}
