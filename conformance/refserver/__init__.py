"""The reference server: SMTP, LMTP and POP3 over one set of maildrops.

Sans-IO session machines (`smtp`, `pop3`) read octets and give octets; `listener` is the only part that knows a
socket. Nothing here is shared with the load generator: two ends that share a parser share its mistakes.

Reading order: `behaviour`, `directory`, `maildrop`, `session`, `smtp`, `pop3`, `listener.conversation`, `server`.
"""
