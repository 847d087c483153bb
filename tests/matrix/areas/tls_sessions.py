"""What the faults in TLS itself break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

CASES = (
    "smtp.tls.inject-clienthello-glued",
    "smtp.tls.min-version",
    "smtp.tls.has-12",
    "smtp.tls.no-sslv3",
    "smtp.tls.no-client-cert-request",
    "smtp.tls.weak-suites",
    "smtp.tls.sni",
    "smtp.tls.close-notify",
    "smtp.tls.client-close-notify",
    "smtp.tls.truncation-not-end",
)
DECLARED = with_fields(
    laboratory.DECLARED, claims=with_fields(laboratory.DECLARED.claims, submission=True)
)

BREAKS = {
    "tls-ssl-3": {"smtp.tls.no-sslv3"},
    "tls-1.0": {"smtp.tls.min-version#1.0"},
    "tls-1.1": {"smtp.tls.min-version#1.1"},
    "tls-null": {"smtp.tls.weak-suites#null"},
    "tls-export": {"smtp.tls.weak-suites#export"},
    "tls-anonymous": {"smtp.tls.weak-suites#anonymous"},
    "tls-rc4": {"smtp.tls.weak-suites#rc4"},
    "tls-of-old": {"smtp.tls.has-12"},
    "tls-asks-certificate": {
        "smtp.tls.no-client-cert-request",
        "smtp.tls.weak-suites#anonymous",
        "smtp.tls.weak-suites#export",
        "smtp.tls.weak-suites#null",
        "smtp.tls.weak-suites#rc4",
    },
    "tls-cut": {"smtp.tls.close-notify"},
    "tls-outstays": {"smtp.tls.client-close-notify"},
    "delivers-what-was-cut-off": {"smtp.tls.truncation-not-end"},
}
