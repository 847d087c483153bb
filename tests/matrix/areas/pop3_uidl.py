"""What the faults in UIDL break, where the operator lets the server be restarted."""

from msgspec import structs

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.uidl.",)
DECLARED = structs.replace(
    laboratory.DECLARED,
    claims=structs.replace(laboratory.DECLARED.claims, restart="restart the server"),
    allow=structs.replace(laboratory.DECLARED.allow, messages_max=40),
)

BREAKS = {
    "uidl-refused": {
        "pop3.uidl.all",
        "pop3.uidl.empty",
        "pop3.uidl.no-trailing#all",
        "pop3.uidl.no-trailing#one",
        "pop3.uidl.one#first",
        "pop3.uidl.one#second",
    },
    "uidl-two-spaces": {"pop3.uidl.all", "pop3.uidl.chars", "pop3.uidl.no-trailing#all"},
    "uidl-ids-alone": {"pop3.uidl.all", "pop3.uidl.chars"},
    "uidl-without-last": {"pop3.uidl.all", "pop3.uidl.unique#many"},
    "uidl-never-ends": {"pop3.uidl.all", "pop3.uidl.empty", "pop3.uidl.no-trailing#all"},
    "uidl-with-sizes": {"pop3.uidl.no-trailing#all"},
    "uidl-cuts-long-lists": {"pop3.uidl.unique#many"},
    "uidl-one-with-sizes": {"pop3.uidl.no-trailing#one"},
    "uidl-one-id-alone": {"pop3.uidl.agree", "pop3.uidl.chars", "pop3.uidl.one#first", "pop3.uidl.one#second"},
    "uidl-one-in-lines": {
        "pop3.reply.one-per-command",
        "pop3.uidl.agree",
        "pop3.uidl.chars",
        "pop3.uidl.one#first",
        "pop3.uidl.one#second",
    },
    "uidl-one-and-a-dot": {"pop3.reply.one-per-command", "pop3.uidl.one#first", "pop3.uidl.one#second"},
    "uidl-one-otherwise": {"pop3.uidl.agree"},
    "uidl-ignores-numbers": {
        "pop3.reply.one-per-command",
        "pop3.uidl.agree",
        "pop3.uidl.chars",
        "pop3.uidl.one#first",
        "pop3.uidl.one#second",
    },
    "uidl-nothing-refused": {"pop3.uidl.empty"},
    "uidl-nothing-no-end": {"pop3.uidl.empty"},
    "uidl-zero-is-first": {"pop3.uidl.invalid#zero"},
    "uidl-clamps": {"pop3.uidl.invalid#beyond"},
    "uidl-ignores-signs": {"pop3.uidl.invalid#negative"},
    "uidl-words-are-first": {"pop3.uidl.invalid#word"},
    "uidl-reads-digits": {"pop3.uidl.invalid#fraction", "pop3.uidl.invalid#word-behind"},
    "uidl-reads-hexadecimal": {"pop3.uidl.invalid#hexadecimal"},
    "uidl-wraps-at-32-bits": {"pop3.uidl.invalid#wraps-32-bits"},
    "uidl-wraps-at-64-bits": {"pop3.uidl.invalid#wraps-64-bits"},
    "uidl-huge-is-the-end": {"pop3.uidl.invalid#huge", "pop3.uidl.invalid#wraps-64-bits"},
    "uidl-one-deleted": {"pop3.uidl.deleted#one"},
    "uidl-deleted": {"pop3.uidl.deleted#all"},
    "uidl-renumbers": {"pop3.uidl.deleted#all"},
    "uidl-of-71-octets": {"pop3.uidl.chars"},
    "uidl-with-a-space": {"pop3.uidl.no-trailing#all", "pop3.uidl.no-trailing#one"},
    "uidl-not-ascii": {"pop3.reply.ascii", "pop3.uidl.chars"},
    "uidl-empty": {"pop3.uidl.all", "pop3.uidl.chars", "pop3.uidl.one#first"},
    "uidl-all-the-same": {
        "pop3.uidl.not-reused",
        "pop3.uidl.unique#copies",
        "pop3.uidl.unique#many",
        "pop3.uidl.unique#what-is-there",
    },
    "uidl-of-the-body": {"pop3.uidl.unique#copies", "pop3.uidl.unique#many"},
    "uidl-repeats": {"pop3.uidl.unique#many"},
    "uidl-is-the-number": {
        "pop3.uidl.not-reused",
        "pop3.uidl.stable-on-delete#first",
        "pop3.uidl.stable-on-delete#second",
    },
    "uidl-of-the-session": {
        "pop3.uidl.persistent",
        "pop3.uidl.persistent#read",
        "pop3.uidl.persistent-restart",
        "pop3.uidl.stable-on-delete#first",
        "pop3.uidl.stable-on-delete#second",
    },
    "uidl-of-what-was-read": {"pop3.uidl.persistent#read"},
    "uidl-changes-at-a-drop": {"pop3.uidl.persistent-no-quit"},
    "uidl-changes-at-restart": {"pop3.uidl.persistent-restart"},
    "uidl-changes-at-delete": {"pop3.uidl.stable-on-delete#first", "pop3.uidl.stable-on-delete#second"},
}
