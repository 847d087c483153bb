"""Message submission: a server that takes mail from its own users, who log in (RFC 6409, RFC 8314)."""
