"""What the faults in BINARYMIME break."""

CASES = ("smtp.binary.",)

BREAKS = {
    "binary-parameter": {"smtp.binary.no-param"},
    "binary-refused": {"smtp.binary.param#lower", "smtp.binary.param#upper"},
    "binary-in-capitals": {"smtp.binary.param#lower"},
    "binary-by-data": {"smtp.binary.data-refused"},
    "binary-loses-nul": {"smtp.binary.bits-kept#all-octets", "smtp.binary.bits-kept#nul"},
    "binary-makes-lines": {"smtp.binary.bits-kept#all-octets", "smtp.binary.bits-kept#bare-cr-lf"},
    "binary-loses-a-bit": {"smtp.binary.bits-kept#all-octets"},
    "binary-unstuffed": {"smtp.binary.bits-kept#dots"},
    "binary-sent-on-raw": {"smtp.binary.relay-converts"},
    "binary-by-the-field": {"smtp.binary.unlabelled-cte"},
    "ehlo-hides-chunking": {"smtp.binary.needs-chunking"},
}
