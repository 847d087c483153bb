"""What the faults in sending on break."""

CASES = (
    "smtp.8bit.relay", "smtp.utf8.no-downgrade", "smtp.utf8.a-label", "smtp.dsn.relay", "smtp.dsn.failure",
    "smtp.dsn.never-silent", "smtp.dsn.own", "smtp.dsn.remote", "smtp.dsn.diagnostic", "smtp.dsn.ret-full",
    "smtp.dsn.action", "smtp.dsn.status",
)  # fmt: skip

BREAKS = {
    "onward-undeclared": {"smtp.8bit.relay-declares"},
    "onward-eight-bits": {"smtp.8bit.relay-converts"},
    "onward-utf8": {"smtp.8bit.relay-converts", "smtp.utf8.no-downgrade-path"},
    "onward-insists": {"smtp.utf8.a-label-not-needed"},
    "onward-dsn-always": {"smtp.dsn.relay-no-dsn-hop#reported", "smtp.dsn.relay-no-dsn-hop#silent"},
    "onward-no-envid": {"smtp.dsn.relay-keeps#given"},
    "onward-no-ret": {"smtp.dsn.relay-keeps#given"},
    "onward-no-notify": {"smtp.dsn.relay-keeps#given"},
    "onward-no-orcpt": {"smtp.dsn.relay-keeps#given"},
    "onward-small-orcpt": {"smtp.dsn.relay-keeps#given"},
    "onward-small-envid": {"smtp.dsn.relay-keeps#given"},
    "onward-more-notify": {"smtp.dsn.relay-keeps#given"},
    "onward-invents-notify": {
        "smtp.dsn.own-notify-never",
        "smtp.dsn.relay-keeps#none",
        "smtp.dsn.relay-no-dsn-hop#silent",
    },
    "onward-invents-orcpt": {"smtp.dsn.relay-keeps#none", "smtp.dsn.relay-no-dsn-hop#silent"},
    "onward-asks-for-itself": {"smtp.dsn.own-notify-never"},
    "onward-ret-of-itself": {"smtp.dsn.own-notify-never"},
    "failure-untold": {"smtp.dsn.failure-sent"},
    "failure-untold-by-default": {"smtp.dsn.failure-default"},
    "failure-always-told": {"smtp.dsn.failure-unasked#delay", "smtp.dsn.failure-unasked#success"},
    "failure-told-after-never": {"smtp.dsn.never-silent", "smtp.dsn.relay-no-dsn-quiet#never-refused"},
    "relaying-always-told": {"smtp.dsn.relay-no-dsn-quiet#never-refused", "smtp.dsn.relay-no-dsn-quiet#unasked-taken"},
    "relaying-untold": {"smtp.dsn.relay-no-dsn-hop#reported"},
    "failure-delayed": {"smtp.dsn.action#failed"},
    "failure-no-status": {"smtp.dsn.status#failed"},
    "failure-ok-status": {"smtp.dsn.status#failed"},
    "failure-nowhere": {"smtp.dsn.remote-mta"},
    "failure-by-address": {"smtp.dsn.remote-mta"},
    "failure-no-words": {"smtp.dsn.diagnostic-code"},
    "failure-own-words": {"smtp.dsn.diagnostic-code"},
    "failure-headers-only": {"smtp.dsn.ret-full"},
}
