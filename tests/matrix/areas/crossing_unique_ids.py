"""What a fault breaks that makes every message another one: its case by itself, as all others are disturbed by it."""

CASES = ("x.uidl.stable-",)

BREAKS = {"x-uidl-counts": {"x.uidl.stable-new-mail"}}
