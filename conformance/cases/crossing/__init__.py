"""Cases on what becomes of mail between its two ends: in by SMTP or LMTP, out of the maildrops it was sent to."""
