"""A server's certificate in words."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from conformance.certificate import in_words

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CURVE = ec.generate_private_key(ec.SECP256R1())
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def certificate(
    *names: str, key: Key = CURVE, issuer: str = "Example CA", days: int = 90, starts: int = -30, common: str = "mx"
) -> bytes:
    """Return a certificate for some names, in DER. Days count from NOW."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=starts))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if names:
        others = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(others, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


def test_a_good_one_is_told_without_a_doubt() -> None:
    assert in_words(certificate("mx.example.test"), "mx.example.test", NOW) == (
        "its certificate is for mx.example.test, issued by CN=Example CA, valid until 2026-08-30, ECDSA over secp256r1"
    )


@pytest.mark.parametrize(
    ("der", "host", "doubt"),
    [
        (certificate("mx.example.test", days=-1), "mx.example.test", "it has expired"),
        (certificate("mx.example.test", days=3), "mx.example.test", "it expires within 14 days"),
        (certificate("mx.example.test", starts=10), "mx.example.test", "it is not valid before 2026-06-11"),
        (certificate("mx.example.test"), "127.0.0.1", "it does not name 127.0.0.1"),
        (certificate("*.example.test"), "a.b.example.test", "it does not name a.b.example.test"),
        (
            certificate("mx.example.test", key=rsa.generate_private_key(65537, 1024)), "mx.example.test",
            "its key is weak: RFC 9325 wants 2048 bits",
        ),
    ],
    ids=["expired", "soon", "not-yet", "address", "wildcard-of-one-label", "weak-key"],
)  # fmt: skip
def test_a_doubt_stands_behind_the_facts(der: bytes, host: str, doubt: str) -> None:
    assert in_words(der, host, NOW).endswith(f"; {doubt}")


def test_a_wildcard_names_its_hosts() -> None:
    assert "does not name" not in in_words(certificate("*.example.test"), "MX.example.test", NOW)


def test_who_issued_his_own_is_told_so_and_the_common_name_counts_where_there_is_no_other() -> None:
    words = in_words(certificate(issuer="mail.example.test", common="mail.example.test"), "mail.example.test", NOW)
    assert words.startswith("its certificate is for mail.example.test, issued by itself, ")


def test_a_key_of_another_kind_is_named() -> None:
    assert "Ed25519" in in_words(certificate("mx.example.test", key=ed25519.Ed25519PrivateKey.generate()), "mx", NOW)


@given(st.binary(max_size=200))
def test_octets_that_are_no_certificate_are_told_so(octets: bytes) -> None:
    assert in_words(octets, "mx.example.test", NOW).startswith("its certificate cannot be read: ")
