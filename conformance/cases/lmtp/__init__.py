"""Cases for LMTP servers (RFC 2033)."""
