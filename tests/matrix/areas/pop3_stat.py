"""What the faults in STAT break."""

PROTOCOL = "pop3"
CASES = ("pop3.stat.",)

BREAKS = {
    "stat-two-spaces": {"pop3.stat.counts", "pop3.stat.deleted-excluded", "pop3.stat.empty", "pop3.stat.format"},
    "stat-in-words": {"pop3.stat.counts", "pop3.stat.deleted-excluded", "pop3.stat.empty", "pop3.stat.format"},
    "stat-counts-one-more": {"pop3.stat.counts", "pop3.stat.deleted-excluded"},
    "stat-octets-wrong": {"pop3.stat.counts", "pop3.stat.deleted-excluded", "pop3.stat.empty"},
    "stat-counts-deleted": {"pop3.stat.deleted-excluded"},
    "stat-empty-refused": {"pop3.stat.empty"},
}
