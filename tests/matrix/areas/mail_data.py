"""What the faults in DATA and in what becomes of a message break."""

from dataclasses import replace

from tests.matrix import laboratory

CASES = ("smtp.data.",)
LIMITS = replace(laboratory.LIMITS, smtp_idle_s=900.0)     # it outlasts who waits ten minutes for an answer

BREAKS = {
    "data-250": {
        "smtp.data.before-mail", "smtp.data.before-rcpt", "smtp.data.intermediate", "smtp.reply.command-table",
    },
    "data-refused": {"smtp.data.intermediate"},
    "data-for-nobody": {"smtp.data.before-rcpt"},
    "data-without-mail": {"smtp.data.before-mail", "smtp.data.buffers-cleared#data", "smtp.data.cleared-after-failure"},
    "data-remembers": {
        "smtp.data.buffers-cleared#data",
        "smtp.data.buffers-cleared#rcpt",
        "smtp.data.cleared-after-failure",
    },
    "end-354": {"smtp.data.commands-inert", "smtp.data.final-ok", "smtp.reply.command-table"},
    "end-unanswered": {"smtp.data.reply-latency"},
    "body-runs-commands": {"smtp.data.commands-inert"},
    "body-trims": {"smtp.data.content-identity"},
    "body-adds-a-line": {
        "smtp.data.commands-inert",
        "smtp.data.content-identity",
        "smtp.data.control-octets-kept",
        "smtp.data.last-crlf-kept",
        "smtp.data.no-line-added",
        "smtp.data.trailing-blank-lines",
    },
    "body-loses-blank-lines": {"smtp.data.trailing-blank-lines"},
    "body-loses-controls": {"smtp.data.control-octets-kept"},
    "wants-a-header": {"smtp.data.no-header"},
    "wants-from-and-date": {
        "smtp.data.missing-fields#date",
        "smtp.data.missing-fields#from",
        "smtp.data.missing-fields#two-from",
        "smtp.data.no-header",
    },
    "wants-resent-pairs": {"smtp.data.resent-mismatch#to-alone", "smtp.data.resent-mismatch#twice"},
    "reads-received": {
        "smtp.data.odd-received#long",
        "smtp.data.odd-received#malformed",
        "smtp.data.odd-received#no-date",
    },
    "counts-header-recipients": {"smtp.data.many-header-recipients"},
    "loses-what-it-took": {"smtp.data.accept-delivered"},
    "delivers-twice": {"smtp.data.accept-delivered"},
    "delivers-what-was-cut-off": {
        "smtp.data.abort-not-delivered#after-cr",
        "smtp.data.abort-not-delivered#after-crlf",
        "smtp.data.abort-not-delivered#after-dot",
        "smtp.data.abort-not-delivered#in-line",
    },
    "delivers-what-it-refused": {"smtp.data.reject-not-delivered"},
    "fails-for-all": {"smtp.data.partial-success-ok"},
}
