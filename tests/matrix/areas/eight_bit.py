"""What the faults in 8BITMIME break."""

CASES = ("smtp.8bit.",)

BREAKS = {
    "8bit-unlisted": {"smtp.8bit.offered", "smtp.8bit.unadvertised#ehlo"},
    "8bit-parameter": {"smtp.8bit.no-param"},
    "8bit-refused": {"smtp.8bit.body-8bit", "smtp.8bit.combined#size-first"},
    "7bit-refused": {"smtp.8bit.body-7bit"},
    "8bit-body-capital": {"smtp.8bit.value-case#both", "smtp.8bit.value-case#keyword"},
    "8bit-value-capital": {"smtp.8bit.value-case#both", "smtp.8bit.value-case#value"},
    "8bit-any-value": {"smtp.8bit.bad-value#list", "smtp.8bit.bad-value#number", "smtp.8bit.bad-value#short"},
    "8bit-longer-value": {"smtp.8bit.bad-value#longer"},
    "8bit-no-value": {"smtp.8bit.bad-value#alone", "smtp.8bit.bad-value#empty"},
    "8bit-twice": {"smtp.8bit.duplicate#other", "smtp.8bit.duplicate#same"},
    "8bit-after-helo": {"smtp.8bit.unadvertised#helo"},
    "8bit-before-size": {"smtp.8bit.combined#body-first"},
    "8bit-after-size": {"smtp.8bit.combined#size-first"},
    "8bit-cleared": {"smtp.8bit.bits-kept#utf-8", "smtp.8bit.long-lines#one-octet", "smtp.8bit.long-lines#two-octets"},
    "8bit-question-marks": {
        "smtp.8bit.bits-kept#all-octets",
        "smtp.8bit.bits-kept#utf-8",
        "smtp.8bit.long-lines#one-octet",
        "smtp.8bit.long-lines#two-octets",
    },
    "8bit-recoded": {
        "smtp.8bit.bits-kept#all-octets",
        "smtp.8bit.bits-kept#utf-8",
        "smtp.8bit.long-lines#one-octet",
        "smtp.8bit.long-lines#two-octets",
    },
    "8bit-split": {"smtp.8bit.long-lines#one-octet", "smtp.8bit.long-lines#two-octets"},
    "8bit-short-lines": {"smtp.8bit.long-lines#one-octet", "smtp.8bit.long-lines#two-octets"},
    "8bit-dot": {"smtp.8bit.bits-kept#utf-8"},
}
