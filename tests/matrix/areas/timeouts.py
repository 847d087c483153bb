"""What the faults in how long a client is waited for break: minutes of virtual time, none of ours."""

CASES = ("smtp.timeout.",)

BREAKS = {
    "waits-4-minutes": {"smtp.timeout.idle-command", "smtp.timeout.idle-in-transaction"},
    "waits-10-seconds": {"smtp.timeout.idle-command", "smtp.timeout.idle-in-data", "smtp.timeout.idle-in-transaction"},
    "waits-1-minute-inside": {"smtp.timeout.idle-in-transaction"},
    "waits-2-minutes-for-data": {"smtp.timeout.idle-in-data"},
    "goes-without-a-word": {"smtp.timeout.421-first"},
    "idleness-ends-data": {"smtp.timeout.idle-after-data-not-delivered"},
    "pieces-lose-the-session": {"smtp.timeout.drip-command"},
    "silent-after-login": {"smtp.timeout.submission-2min"},
    "silent-after-message": {"smtp.timeout.submission-2min"},
}
