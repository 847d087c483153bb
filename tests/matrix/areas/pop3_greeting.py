"""What the faults in POP3's greeting break."""

PROTOCOL = "pop3"
CASES = ("pop3.greeting.",)

BREAKS = {
    "pop3-greets-in-lower-case": {"pop3.greeting.positive", "pop3.reply.status"},
    "pop3-greets-without-plus": {"pop3.greeting.positive", "pop3.reply.status"},
    "pop3-greets-with-a-word": {"pop3.greeting.positive", "pop3.reply.status"},
    "pop3-greets-with-a-challenge": {"pop3.greeting.positive", "pop3.reply.status"},
    "pop3-greets-twice": {"pop3.greeting.single-line"},
    "pop3-greets-at-length": {"pop3.greeting.single-line"},
    "pop3-greets-a-little-too-long": {"pop3.greeting.single-line"},
    "pop3-greets-when-spoken-to": {"pop3.greeting.unprompted"},
    "pop3-greets-nobody": {"pop3.greeting.positive"},
}
