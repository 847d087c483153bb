"""What the faults in logging in, and against those who guess, break."""

CASES = (
    "smtp.auth.list-nonempty",
    "smtp.auth.only-listed",
    "smtp.auth.three-tries",
    "smtp.auth.brute-force",
    "smtp.auth.user-enum-time",
    "smtp.auth.mech-switch",
    "smtp.auth.received-a",
)

BREAKS = {
    "auth-lists-nothing": {"smtp.auth.list-nonempty", "smtp.auth.only-listed#login", "smtp.auth.only-listed#plain"},
    "auth-anonymous": {"smtp.auth.only-listed#anonymous"},
    "auth-external": {"smtp.auth.only-listed#external"},
    "auth-two-chances": {"smtp.auth.three-tries"},
    "auth-endless-chances": {"smtp.auth.brute-force"},
    "auth-slow-to-strangers": {"smtp.auth.user-enum-time"},
    "auth-breaks-on-switches": {"smtp.auth.mech-switch"},
    "auth-untold": {"smtp.auth.received-a"},
}
