"""What the faults of a server that is asked as over X.25 break. It takes LF for a line end, as RFC 1090 §8 wants."""

CASES = ("smtp.x25.",)
X25 = True
CHOICES = {"lf_ends_lines": True}

BREAKS = {
    "lf-is-no-end": {"smtp.x25.lf-lines#noop", "smtp.x25.lf-lines#transaction"},
    "lf-is-no-end-inside": {"smtp.x25.lf-lines#transaction"},
    "packets-are-lines": {"smtp.x25.packets#dot", "smtp.x25.packets#long"},     # half a line end is refused
    "packets-end-stuffing": {"smtp.x25.packets#dot"},
    "packets-part-line-ends": {"smtp.x25.packets#line-end"},
    "never-ready": {"smtp.x25.greeting"},
    "message-unanswered": {"smtp.x25.replies"},
}
