"""What is broken where a message may have any number of recipients."""

CASES = ("hard.many-rcpt-memory",)

BREAKS = {
    "hard-any-recipients": {"hard.many-rcpt-memory"},
}
