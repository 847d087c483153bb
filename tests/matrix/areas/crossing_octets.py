"""What the faults in odd octets, in headers, and in what comes in parts break."""

CASES = (
    "x.body.8bit", "x.body.utf8-", "x.body.control-", "x.body.nul", "x.body.bare-", "x.body.long-line",
    "x.body.folding-", "x.body.duplicate-", "x.body.mime-", "x.body.large", "x.body.many-", "x.body.bdat-",
    "x.body.tls-", "x.body.segmentation",
)

BREAKS = {
    "x-drops-the-eighth-bit": {
        "x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row", "x.body.8bit#utf-8", "x.body.utf8-headers#from",
        "x.body.utf8-headers#other", "x.body.utf8-headers#subject",
    },
    "x-wants-utf8": {"x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row"},
    "x-from-latin-1": {
        "x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row", "x.body.8bit#utf-8", "x.body.utf8-headers#from",
        "x.body.utf8-headers#other", "x.body.utf8-headers#subject",
    },
    "x-questions-utf8": {
        "x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row", "x.body.8bit#utf-8", "x.body.utf8-headers#from",
        "x.body.utf8-headers#other", "x.body.utf8-headers#subject",
    },
    "x-lines-of-python": {
        "x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row", "x.body.control-octets#alone",
        "x.body.control-octets#first", "x.body.control-octets#inside", "x.body.control-octets#last",
    },
    "x-trims-controls": {"x.body.control-octets#alone", "x.body.control-octets#last"},
    "x-escape-is-lost": {
        "x.body.control-octets#alone", "x.body.control-octets#first", "x.body.control-octets#inside",
        "x.body.control-octets#last",
    },
    "x-substitute-ends": {
        "x.body.control-octets#alone", "x.body.control-octets#first", "x.body.control-octets#inside",
        "x.body.control-octets#last",
    },
    "x-nul-ends-lines": {"x.body.nul#amid", "x.body.nul#first", "x.body.nul#pair"},
    "x-nul-ends-all": {
        "x.body.nul#alone", "x.body.nul#amid", "x.body.nul#first", "x.body.nul#header", "x.body.nul#last",
        "x.body.nul#pair",
    },
    "x-nul-ends-headers": {"x.body.nul#header"},
    "x-loses-long-lines": {"x.body.long-line#10000", "x.body.long-line#2048", "x.body.long-line#999"},
    "x-unfolds": {
        "x.body.folding-kept#colon", "x.body.folding-kept#folded", "x.body.folding-kept#long",
        "x.body.mime-untouched#dashes", "x.body.mime-untouched#nested", "x.body.mime-untouched#odd-boundary",
        "x.body.mime-untouched#signed", "x.body.mime-untouched#unended",
    },
    "x-one-space": {"x.body.folding-kept#empty", "x.body.folding-kept#spaced"},
    "x-loses-empty-fields": {"x.body.folding-kept#empty"},
    "x-proper-case": {"x.body.folding-kept#case"},
    "x-sorts-fields": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#unknown", "x.body.folding-kept#case", "x.body.folding-kept#colon",
        "x.body.folding-kept#empty", "x.body.folding-kept#list", "x.body.folding-kept#order",
        "x.body.folding-kept#spaced", "x.body.mime-untouched#dashes", "x.body.mime-untouched#flowed",
        "x.body.mime-untouched#long-base64", "x.body.mime-untouched#nested", "x.body.mime-untouched#no-version",
        "x.body.mime-untouched#odd-boundary", "x.body.mime-untouched#signed", "x.body.mime-untouched#unended",
        "x.body.mime-untouched#unknown-encoding", "x.body.mime-untouched#wrong-base64",
        "x.body.mime-untouched#wrong-quoted",
    },
    "x-cuts-long-fields": {"x.body.folding-kept#long"},
    "x-small-domains": {"x.body.folding-kept#addresses"},
    "x-loses-comments": {"x.body.folding-kept#addresses", "x.body.folding-kept#dates"},
    "x-writes-dates-anew": {"x.body.folding-kept#dates"},
    "x-joins-names-and-colons": {"x.body.folding-kept#colon"},
    "x-loses-loop-marks": {"x.body.folding-kept#list"},
    "x-own-message-id": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#subject", "x.body.duplicate-headers#unknown", "x.body.folding-kept#addresses",
        "x.body.folding-kept#case", "x.body.folding-kept#colon", "x.body.folding-kept#dates",
        "x.body.folding-kept#empty", "x.body.folding-kept#folded", "x.body.folding-kept#list",
        "x.body.folding-kept#long", "x.body.folding-kept#order", "x.body.folding-kept#spaced",
        "x.body.mime-untouched#dashes", "x.body.mime-untouched#flowed", "x.body.mime-untouched#long-base64",
        "x.body.mime-untouched#nested", "x.body.mime-untouched#no-version", "x.body.mime-untouched#odd-boundary",
        "x.body.mime-untouched#signed", "x.body.mime-untouched#unended", "x.body.mime-untouched#unknown-encoding",
        "x.body.mime-untouched#wrong-base64", "x.body.mime-untouched#wrong-quoted",
    },
    "x-tags-subjects": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#subject", "x.body.duplicate-headers#unknown", "x.body.folding-kept#addresses",
        "x.body.folding-kept#case", "x.body.folding-kept#colon", "x.body.folding-kept#dates",
        "x.body.folding-kept#empty", "x.body.folding-kept#folded", "x.body.folding-kept#list",
        "x.body.folding-kept#long", "x.body.folding-kept#order", "x.body.folding-kept#spaced",
        "x.body.mime-untouched#dashes", "x.body.mime-untouched#flowed", "x.body.mime-untouched#long-base64",
        "x.body.mime-untouched#nested", "x.body.mime-untouched#no-version", "x.body.mime-untouched#odd-boundary",
        "x.body.mime-untouched#signed", "x.body.mime-untouched#unended", "x.body.mime-untouched#unknown-encoding",
        "x.body.mime-untouched#wrong-base64", "x.body.mime-untouched#wrong-quoted", "x.body.utf8-headers#subject",
    },
    "x-keeps-last-fields": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#subject", "x.body.duplicate-headers#unknown",
    },
    "x-keeps-first-fields": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#subject", "x.body.duplicate-headers#unknown",
    },
    "x-merges-fields": {
        "x.body.duplicate-headers#received", "x.body.duplicate-headers#references",
        "x.body.duplicate-headers#subject", "x.body.duplicate-headers#unknown",
    },
    "x-encodes-anew": {
        "x.body.8bit#each", "x.body.8bit#edges", "x.body.8bit#row", "x.body.8bit#utf-8",
        "x.body.mime-untouched#flowed", "x.body.mime-untouched#long-base64", "x.body.mime-untouched#unknown-encoding",
        "x.body.mime-untouched#wrong-base64", "x.body.mime-untouched#wrong-quoted",
    },
    "x-tidies-codes": {
        "x.body.mime-untouched#long-base64", "x.body.mime-untouched#wrong-base64",
        "x.body.mime-untouched#wrong-quoted",
    },
    "x-ends-multiparts": {"x.body.mime-untouched#unended"},
    "x-unquotes-boundaries": {"x.body.mime-untouched#dashes", "x.body.mime-untouched#odd-boundary"},
    "x-loses-epilogues": {
        "x.body.mime-untouched#dashes", "x.body.mime-untouched#nested", "x.body.mime-untouched#odd-boundary",
        "x.body.mime-untouched#signed",
    },
    "x-unstuffs-chunks": {
        "x.body.bdat-equals-data#empty-last", "x.body.bdat-equals-data#lines", "x.body.bdat-equals-data#small",
        "x.body.bdat-equals-data#whole",
    },
    "x-ends-chunks-at-dots": {
        "x.body.bdat-equals-data#empty-last", "x.body.bdat-equals-data#lines", "x.body.bdat-equals-data#small",
        "x.body.bdat-equals-data#whole",
    },
    "x-otherwise-in-tls": {"x.body.tls-equals-plain"},
    "x-pieces-of-1": {"x.body.segmentation#1"},
    "x-pieces-of-7": {"x.body.segmentation#7"},
    "x-pieces-of-1460": {"x.body.segmentation#1460"},
    "x-pieces-of-65536": {"x.body.segmentation#65536"},
    "x-cuts-at-64k": {"x.body.large", "x.body.many-lines", "x.body.segmentation#65536"},
}

