"""Cases for SMTP servers (RFC 5321) and their extensions."""
