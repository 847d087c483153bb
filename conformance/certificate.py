"""What a server's certificate says, for an auditor: facts and doubts, no verdict; who trusts it is another question."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from loadgen.wire.printable import printable

SOON: Final = timedelta(days=14)
WEAK_RSA_BITS: Final = 2048              # below it: RFC 9325 §4.5
WEAK_HASHES: Final = frozenset({"md5", "sha1"})      # RFC 9155, RFC 6151


def in_words(der: bytes, host: str, now: datetime) -> str:
    """Return a certificate, in DER, as a sentence: for whom, by whom, until when, its key, and what is doubtful.

    `host` is the name or address that the server was reached by. Whatever the certificate holds, nothing is raised.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = list(_names(certificate))
        self_issued = certificate.issuer == certificate.subject
        issuer = "itself" if self_issued else _safe(certificate.issuer.rfc4514_string())
        until = certificate.not_valid_after_utc
        doubts = list(_doubts(certificate, names, host, now))
    except ValueError as error:
        return f"its certificate cannot be read: {_safe(str(error))}"
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    whose = f"its certificate is for {shown or 'no name'}, issued by {issuer}"
    return "; ".join([f"{whose}, valid until {until:%Y-%m-%d}, {_key(certificate)}", *doubts])


def _doubts(certificate: x509.Certificate, names: list[str], host: str, now: datetime) -> Iterator[str]:
    if now > certificate.not_valid_after_utc:
        yield "it has expired"
    elif now + SOON > certificate.not_valid_after_utc:
        yield f"it expires within {SOON.days} days"
    if now < certificate.not_valid_before_utc:
        yield f"it is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    if not any(_is_named(name, host) for name in names):
        yield f"it does not name {_safe(host)}"
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < WEAK_RSA_BITS:
        yield f"its key is weak: RFC 9325 wants {WEAK_RSA_BITS} bits"
    signed = certificate.signature_hash_algorithm
    if signed is not None and signed.name in WEAK_HASHES:
        yield f"it is signed with {signed.name.upper()}"


def _names(certificate: x509.Certificate) -> Iterator[str]:
    """Give the names it is for: those of subjectAltName, else the common name (RFC 7817 §3)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
            yield _safe(str(attribute.value))
        return
    for name in found.get_values_for_type(x509.DNSName):
        yield _safe(name)
    for address in found.get_values_for_type(x509.IPAddress):
        yield str(address)


def _is_named(name: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        first, dot, rest = host.lower().partition(".")
        return name.lower() in {host.lower(), f"*.{rest}" if dot and first else ""}


def _key(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA of {key.key_size} bits"
        case ec.EllipticCurvePublicKey() as key:
            return f"ECDSA over {key.curve.name}"
        case key:
            return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _safe(text: str) -> str:
    return printable(text.encode("utf-8", "backslashreplace"), 200)
