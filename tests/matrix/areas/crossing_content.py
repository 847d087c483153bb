"""What the faults in octets on their way from mail data to RETR break."""

CASES = (
    "x.body.identity", "x.body.dot-", "x.body.only-dots", "x.body.first-line-dot", "x.body.line-998",
    "x.body.trailing-", "x.body.from-line",
)

EDGES = tuple(f"x.body.dot-at-buffer-edge#{shift}" for shift in range(8))
BREAKS = {
    "x-flips-a-bit": {
        *EDGES, "x.body.identity",
    },
    "x-loses-a-line": {
        *EDGES, "x.body.dot-lines#each", "x.body.identity",
        "x.body.only-dots#hundred", "x.body.only-dots#pairs",
    },
    "x-appends-a-footer": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced",
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#text",
        "x.body.from-line#amid", "x.body.from-line#first", "x.body.from-line#mbox", "x.body.from-line#quoted",
        "x.body.identity", "x.body.line-998#dot", "x.body.line-998#dots", "x.body.line-998#text",
        "x.body.line-998#words", "x.body.only-dots#hundred", "x.body.only-dots#pairs",
        "x.body.trailing-empty-lines#alone", "x.body.trailing-empty-lines#five",
        "x.body.trailing-empty-lines#leading", "x.body.trailing-empty-lines#one", "x.body.trailing-space#leading",
        "x.body.trailing-space#soft-breaks", "x.body.trailing-space#spaces", "x.body.trailing-space#tabs",
    },
    "x-undoes-dots-again": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced",
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#text", "x.body.identity",
        "x.body.line-998#dot", "x.body.line-998#dots", "x.body.only-dots#hundred", "x.body.only-dots#pairs",
    },
    "x-stores-stuffed": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced",
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#text", "x.body.identity",
        "x.body.line-998#dot", "x.body.line-998#dots", "x.body.only-dots#hundred", "x.body.only-dots#pairs",
    },
    "x-retr-never-stuffs": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced",
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#of-all",
        "x.body.first-line-dot#text", "x.body.identity", "x.body.line-998#dot", "x.body.line-998#dots",
        "x.body.only-dots#hundred", "x.body.only-dots#pairs",
    },
    "x-retr-stuffs-lone-dots": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced", "x.body.first-line-dot#dots",
        "x.body.first-line-dot#of-all", "x.body.first-line-dot#text", "x.body.identity", "x.body.line-998#dot",
        "x.body.line-998#dots", "x.body.only-dots#pairs",
    },
    "x-retr-stuffs-but-lone-dots": {
        "x.body.dot-lines#amid", "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last",
        "x.body.dot-lines#spaced", "x.body.first-line-dot#dot", "x.body.identity", "x.body.only-dots#hundred",
    },
    "x-first-dot": {
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#text", "x.body.identity",
        "x.body.only-dots#hundred", "x.body.only-dots#pairs",
    },
    "x-very-first-dot-kept": {"x.body.first-line-dot#of-all"},
    "x-very-first-dot-lost": {"x.body.first-line-dot#of-all"},
    "x-edge-on-the-way-in": {
        *EDGES,
    },
    "x-edge-on-the-way-out": {
        *EDGES,
    },
    "x-splits-lines-at-990": {
        "x.body.identity", "x.body.line-998#dot", "x.body.line-998#dots", "x.body.line-998#text",
        "x.body.line-998#words",
    },
    "x-cuts-lines-at-997": {
        "x.body.identity", "x.body.line-998#dot", "x.body.line-998#dots", "x.body.line-998#text",
        "x.body.line-998#words",
    },
    "x-from-munged": {"x.body.from-line#amid", "x.body.from-line#first", "x.body.from-line#mbox"},
    "x-from-munged-again": {
        "x.body.from-line#amid", "x.body.from-line#first", "x.body.from-line#mbox", "x.body.from-line#quoted",
    },
    "x-from-unquoted": {"x.body.from-line#quoted"},
    "x-from-cuts": {"x.body.from-line#amid", "x.body.from-line#first", "x.body.from-line#mbox"},
    "x-trims-lines": {
        "x.body.dot-lines#spaced", "x.body.identity", "x.body.trailing-space#soft-breaks",
        "x.body.trailing-space#spaces", "x.body.trailing-space#tabs",
    },
    "x-trims-tabs": {"x.body.dot-lines#spaced", "x.body.identity", "x.body.trailing-space#tabs"},
    "x-squeezes-spaces": {
        "x.body.dot-lines#spaced", "x.body.from-line#mbox", "x.body.identity", "x.body.trailing-space#leading",
        "x.body.trailing-space#spaces", "x.body.trailing-space#tabs",
    },
    "x-joins-soft-breaks": {"x.body.trailing-space#soft-breaks"},
    "x-flows-text": {"x.body.trailing-space#soft-breaks"},
    "x-last-line-end": {
        "x.body.identity", "x.body.trailing-empty-lines#alone", "x.body.trailing-empty-lines#five",
        "x.body.trailing-empty-lines#one",
    },
    "x-trims-the-end": {
        "x.body.identity", "x.body.trailing-empty-lines#alone", "x.body.trailing-empty-lines#five",
        "x.body.trailing-empty-lines#one",
    },
    "x-trims-the-start": {
        "x.body.dot-at-buffer-edge#0", "x.body.identity", "x.body.trailing-empty-lines#alone",
        "x.body.trailing-empty-lines#leading", "x.body.trailing-space#leading",
    },
    "x-joins-empty-lines": {
        "x.body.identity", "x.body.trailing-empty-lines#alone", "x.body.trailing-empty-lines#five",
        "x.body.trailing-empty-lines#leading",
    },
    "x-retr-adds-a-line": {
        *EDGES, "x.body.dot-lines#amid",
        "x.body.dot-lines#commands", "x.body.dot-lines#each", "x.body.dot-lines#last", "x.body.dot-lines#spaced",
        "x.body.first-line-dot#dot", "x.body.first-line-dot#dots", "x.body.first-line-dot#text",
        "x.body.from-line#amid", "x.body.from-line#first", "x.body.from-line#mbox", "x.body.from-line#quoted",
        "x.body.identity", "x.body.line-998#dot", "x.body.line-998#dots", "x.body.line-998#text",
        "x.body.line-998#words", "x.body.only-dots#hundred", "x.body.only-dots#pairs",
        "x.body.trailing-empty-lines#alone", "x.body.trailing-empty-lines#five",
        "x.body.trailing-empty-lines#leading", "x.body.trailing-empty-lines#one", "x.body.trailing-space#leading",
        "x.body.trailing-space#soft-breaks", "x.body.trailing-space#spaces", "x.body.trailing-space#tabs",
    },
}

