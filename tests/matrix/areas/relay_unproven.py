"""What faults in relay control break where no sink shows what is sent on: they are suspect."""

CASES = ("relay.",)
WITH_SINK = False

BREAKS = {
    "open-relay": {"relay.plain#after-a-message", "relay.plain#ehlo", "relay.plain#helo", "relay.plain#tls"},
    "relays-for-local": {"relay.local-sender"},
    "relays-double-at": {"relay.case#double-at", "relay.double-at"},
    "relays-after-failed-auth": {"relay.after-failed-auth"},
}
