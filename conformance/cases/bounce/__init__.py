"""Cases on what a server tells the sender of mail that it took and could not deliver (RFC 5321 §6.1)."""
