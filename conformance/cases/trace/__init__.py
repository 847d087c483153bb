"""Cases on what a server writes on top of a message it takes (RFC 5321 §4.4), and on what it must leave alone."""
