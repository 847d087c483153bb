"""What the faults in the order of commands break."""

CASES = ("smtp.order.",)

BREAKS = {
    "order-data-loses": {"smtp.order.503-keeps-state#data", "smtp.order.random-walk"},
    "order-mail-loses": {"smtp.order.503-keeps-state#mail", "smtp.order.random-walk"},
    "order-rcpt-sticks": {"smtp.order.503-keeps-state#rcpt", "smtp.order.random-walk"},
    "order-data-sticks": {
        "smtp.order.mail-after-failed-data#idle",
        "smtp.order.mail-after-failed-data#mail",
        "smtp.order.random-walk",
    },
    "order-rcpt-after-message": {"smtp.order.rcpt-after-data"},
    "order-no-vrfy-inside": {"smtp.order.vrfy-inside"},
    "order-recipients-survive-rset": {"smtp.order.random-walk"},
    "order-recipients-survive-ehlo": {"smtp.order.random-walk"},
    "order-nothing-between": {"smtp.order.503-keeps-state#data", "smtp.order.random-walk"},
    "order-no-second-chance": {"smtp.order.random-walk"},
}
