"""What the faults in SMTPUTF8 break."""

import msgspec

from conformance.refserver.behaviour import VrfyPolicy
from tests.matrix import laboratory

CASES = ("smtp.utf8.",)
CHOICES = {"vrfy": VrfyPolicy.TELL}
ADDRESSES = msgspec.structs.replace(
    laboratory.DECLARED.addresses, accepted=(*laboratory.DECLARED.addresses.accepted, laboratory.UTF8_USER)
)
DECLARED = msgspec.structs.replace(laboratory.DECLARED, addresses=ADDRESSES)

BREAKS = {
    "utf8-parameter": {"smtp.utf8.ehlo-no-param"},
    "utf8-alone": {"smtp.utf8.requires-8bitmime"},
    "utf8-unlisted": {"smtp.utf8.unadvertised#ehlo"},
    "utf8-any-value": {"smtp.utf8.param-no-value#value", "smtp.utf8.param-no-value#yes"},
    "utf8-empty-value": {"smtp.utf8.param-no-value#empty"},
    "utf8-refused": {"smtp.utf8.param-ok"},
    "utf8-capitals": {"smtp.utf8.param-ok"},
    "utf8-no-body": {"smtp.utf8.param-ok"},
    "utf8-ascii-users": {
        "smtp.utf8.sender-ok#both",
        "smtp.utf8.sender-ok#local-part",
        "smtp.utf8.without-param-code#mail",
    },
    "utf8-ascii-domains": {"smtp.utf8.sender-ok#both", "smtp.utf8.sender-ok#domain"},
    "utf8-ascii-recipients": {
        "smtp.utf8.dsn-orcpt#address",
        "smtp.utf8.dsn-orcpt#unitext",
        "smtp.utf8.quoted-utf8",
        "smtp.utf8.rcpt-literal-utf8-user",
        "smtp.utf8.rcpt-ok#chinese",
        "smtp.utf8.rcpt-ok#cyrillic",
        "smtp.utf8.rcpt-ok#dots",
        "smtp.utf8.rcpt-ok#four-octets",
        "smtp.utf8.without-param-code#rcpt",
    },
    "utf8-three-octets": {"smtp.utf8.rcpt-ok#four-octets"},
    "utf8-no-dots": {"smtp.utf8.rcpt-ok#dots"},
    "utf8-nobody": {"smtp.utf8.rcpt-literal-utf8-user"},
    "utf8-no-quotes": {"smtp.utf8.quoted-utf8"},
    "utf8-senders-unasked": {
        "smtp.utf8.without-param#after-rset",
        "smtp.utf8.without-param#mail-domain",
        "smtp.utf8.without-param#mail-local-part",
    },
    "utf8-recipients-unasked": {"smtp.utf8.without-param#rcpt-domain", "smtp.utf8.without-param#rcpt-local-part"},
    "utf8-sticks": {"smtp.utf8.without-param#after-rset"},
    "utf8-other-code": {"smtp.utf8.without-param-code#mail", "smtp.utf8.without-param-code#rcpt"},
    "utf8-after-helo": {"smtp.utf8.unadvertised#helo"},
    "utf8-any-sender": {
        "smtp.utf8.invalid#latin-1",
        "smtp.utf8.invalid#lone-continuation",
        "smtp.utf8.invalid#overlong",
        "smtp.utf8.invalid#overlong-three",
        "smtp.utf8.invalid#surrogate",
        "smtp.utf8.invalid#too-high",
        "smtp.utf8.invalid#truncated",
    },
    "utf8-any-recipient": {
        "smtp.utf8.invalid#latin-1",
        "smtp.utf8.invalid#lone-continuation",
        "smtp.utf8.invalid#overlong",
        "smtp.utf8.invalid#overlong-three",
        "smtp.utf8.invalid#surrogate",
        "smtp.utf8.invalid#too-high",
        "smtp.utf8.invalid#truncated",
        "smtp.utf8.truncated-alive#rcpt-line",
    },
    "utf8-surrogates": {"smtp.utf8.invalid#surrogate"},
    "utf8-overlong": {"smtp.utf8.invalid#overlong"},
    "utf8-dies-in-path": {"smtp.utf8.truncated-alive#mail-path", "smtp.utf8.truncated-alive#rcpt-path"},
    "utf8-dies-at-end": {"smtp.utf8.truncated-alive#mail-line", "smtp.utf8.truncated-alive#rcpt-line"},
    "utf8-mailboxes-only": {"smtp.utf8.dsn-orcpt#address", "smtp.utf8.dsn-orcpt#unitext", "smtp.utf8.dsn-orcpt#xtext"},
    "utf8-ascii-orcpt": {"smtp.utf8.dsn-orcpt#address", "smtp.utf8.dsn-orcpt#unitext"},
    "utf8-no-unitext": {"smtp.utf8.dsn-orcpt#unitext", "smtp.utf8.dsn-orcpt#xtext"},
    "utf8-short-lines": {"smtp.utf8.size-of-param"},
    "utf8-wide-stop": {"smtp.utf8.confusable-dot#full-stop"},
    "utf8-wide-at": {"smtp.utf8.confusable-dot#at"},
    "utf8-wide-brackets": {"smtp.utf8.confusable-dot#brackets"},
    "utf8-confuses": {"smtp.utf8.after-plain-vrfy#mail", "smtp.utf8.after-plain-vrfy#vrfy"},
    "utf8-echoes": {
        "smtp.reply.ascii",
        "smtp.utf8.echo-safe#mail",
        "smtp.utf8.echo-safe#rcpt",
        "smtp.utf8.replies-ascii",
    },
    "utf8-echoes-names": {
        "smtp.reply.ascii",
        "smtp.utf8.echo-safe#vrfy",
        "smtp.utf8.param-per-command",
        "smtp.utf8.replies-ascii",
        "smtp.utf8.vrfy-form#utf8",
        "smtp.utf8.vrfy-without#any",
        "smtp.utf8.vrfy-without#declared",
    },
    "utf8-echoes-commands": {"smtp.reply.ascii", "smtp.utf8.echo-safe#unknown", "smtp.utf8.replies-ascii"},
    "utf8-vrfy-always": {"smtp.reply.ascii", "smtp.utf8.replies-ascii", "smtp.utf8.vrfy-without#declared"},
    "utf8-vrfy-for-ever": {"smtp.reply.ascii", "smtp.utf8.param-per-command", "smtp.utf8.replies-ascii"},
    "utf8-vrfy-yes": {"smtp.utf8.vrfy-form#ascii", "smtp.utf8.vrfy-form#utf8", "smtp.utf8.vrfy-without#declared"},
    "utf8-vrfy-half": {"smtp.utf8.replies-valid#vrfy"},
    "utf8-expn-half": {"smtp.utf8.replies-valid#expn"},
    "utf8-rcpt-half": {
        "smtp.reply.ascii",
        "smtp.utf8.echo-safe#rcpt",
        "smtp.utf8.replies-ascii",
        "smtp.utf8.replies-valid#rcpt",
    },
    "utf8-forwards": {"smtp.reply.ascii", "smtp.utf8.251-ascii", "smtp.utf8.replies-ascii"},
    "utf8-trace-plain": {"smtp.utf8.trace-with"},
    "utf8-trace-utf8": {"smtp.utf8.trace-ascii"},
    "utf8-question-marks": {"smtp.utf8.headers-kept#subject", "smtp.utf8.headers-kept#x-greeting"},
    "utf8-recoded": {"smtp.utf8.headers-kept#subject", "smtp.utf8.headers-kept#x-greeting"},
    "utf8-wrong-words": {"smtp.utf8.headers-kept#subject", "smtp.utf8.headers-kept#x-greeting"},
    "utf8-fields-lost": {"smtp.utf8.headers-kept#subject", "smtp.utf8.headers-kept#x-greeting"},
}
