"""Cases on SMTP smuggling: what but CRLF ends mail data, or a command line (RFC 5321 §2.3.8, §4.1.1.4)."""
