"""What is broken where TLS is implicit."""

CASES = ("smtp.tls.implicit-",)
IMPLICIT_TLS = True

BREAKS = {
    "tls-clear-replies": {"smtp.tls.implicit-plain-client"},
    "tls-readvertised": {"smtp.tls.implicit-no-starttls"},
}
