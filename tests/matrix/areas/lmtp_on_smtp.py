"""What an SMTP server breaks that speaks LMTP as well."""

CASES = ("lmtp.smtp.", "lmtp.port.")

BREAKS = {
    "speaks-lmtp": {"lmtp.smtp.refuses-lhlo", "lmtp.port.not-25"},
}
