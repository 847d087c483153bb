"""What the faults in LIST break, where a maildrop may hold forty messages."""

from msgspec import structs

from tests.matrix import laboratory

PROTOCOL = "pop3"
CASES = ("pop3.list.",)
DECLARED = structs.replace(
    laboratory.DECLARED, allow=structs.replace(laboratory.DECLARED.allow, messages_max=40)
)

BREAKS = {
    "list-two-spaces": {"pop3.list.all", "pop3.list.all#many", "pop3.list.no-trailing#all"},
    "list-sizes-alone": {"pop3.list.all", "pop3.list.all#many", "pop3.list.ascending"},
    "list-without-last": {"pop3.list.all", "pop3.list.all#many"},
    "list-from-zero": {
        "pop3.list.agree",
        "pop3.list.ascending",
        "pop3.list.deleted-hidden#first",
        "pop3.list.deleted-hidden#last",
        "pop3.list.deleted-hidden#middle",
        "pop3.list.size-exact",
    },
    "list-first-twice": {
        "pop3.list.all",
        "pop3.list.all#many",
        "pop3.list.ascending",
        "pop3.list.deleted-hidden#last",
        "pop3.list.deleted-hidden#middle",
    },
    "list-never-ends": {"pop3.list.all", "pop3.list.ascending", "pop3.list.empty", "pop3.list.no-trailing#all"},
    "list-cuts-long-lists": {"pop3.list.all#many"},
    "list-with-dates": {"pop3.list.no-trailing#all"},
    "list-one-with-dates": {"pop3.list.no-trailing#one"},
    "list-one-size-alone": {
        "pop3.list.agree",
        "pop3.list.invalid#leading-zero",
        "pop3.list.one#first",
        "pop3.list.one#second",
    },
    "list-one-in-lines": {
        "pop3.list.agree",
        "pop3.list.one#first",
        "pop3.list.one#second",
        "pop3.reply.one-per-command",
    },
    "list-one-and-a-dot": {"pop3.list.one#first", "pop3.list.one#second", "pop3.reply.one-per-command"},
    "list-one-off-by-one": {"pop3.list.agree"},
    "list-ignores-numbers": {
        "pop3.list.agree",
        "pop3.list.one#first",
        "pop3.list.one#second",
        "pop3.reply.one-per-command",
    },
    "list-nothing-refused": {"pop3.list.empty"},
    "list-nothing-no-end": {"pop3.list.empty"},
    "list-zero-is-first": {"pop3.list.invalid#zero"},
    "list-clamps": {"pop3.list.invalid#beyond"},
    "list-reads-odd-numbers-wrong": {"pop3.list.invalid#leading-zero", "pop3.list.invalid#plus"},
    "list-ignores-signs": {"pop3.list.invalid#negative"},
    "list-words-are-first": {"pop3.list.invalid#word"},
    "list-reads-digits": {"pop3.list.invalid#fraction", "pop3.list.invalid#word-behind"},
    "list-reads-hexadecimal": {"pop3.list.invalid#hexadecimal"},
    "list-wraps-at-32-bits": {"pop3.list.invalid#wraps-32-bits"},
    "list-wraps-at-64-bits": {"pop3.list.invalid#wraps-64-bits"},
    "list-huge-is-first": {"pop3.list.invalid#huge"},
    "list-huge-is-the-end": {"pop3.list.invalid#huge", "pop3.list.invalid#wraps-64-bits"},
    "list-one-deleted": {"pop3.list.deleted-one#first", "pop3.list.deleted-one#last"},
    "list-deleted": {
        "pop3.list.deleted-hidden#first",
        "pop3.list.deleted-hidden#last",
        "pop3.list.deleted-hidden#middle",
    },
    "list-renumbers": {"pop3.list.deleted-hidden#first", "pop3.list.deleted-hidden#middle"},
    "list-size-counts-lf": {
        "pop3.list.size-dots",
        "pop3.list.size-exact",
        "pop3.list.size-long-utf8#long-lines",
        "pop3.list.size-long-utf8#utf-8",
    },
    "list-size-counts-stuffing": {"pop3.list.size-dots"},
    "list-size-counts-characters": {"pop3.list.size-long-utf8#utf-8"},
    "list-size-counts-the-end": {
        "pop3.list.size-dots",
        "pop3.list.size-exact",
        "pop3.list.size-long-utf8#long-lines",
        "pop3.list.size-long-utf8#utf-8",
    },
    "list-size-without-header": {
        "pop3.list.size-dots",
        "pop3.list.size-exact",
        "pop3.list.size-long-utf8#long-lines",
        "pop3.list.size-long-utf8#utf-8",
    },
    "list-size-in-kilobytes": {
        "pop3.list.size-dots",
        "pop3.list.size-exact",
        "pop3.list.size-long-utf8#long-lines",
        "pop3.list.size-long-utf8#utf-8",
    },
    "list-size-of-folded-lines": {"pop3.list.size-long-utf8#long-lines"},
}
