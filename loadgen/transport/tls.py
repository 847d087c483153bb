"""How TLS is wanted, and what a connection got."""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography import x509

from loadgen.transport.errors import TlsFailed
from reports.errors import UserError

TlsContext = ssl.SSLContext


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """When TLS starts, and whom to trust. Without `ca_file` that is this host's trust store."""

    mode: Literal["none", "starttls", "implicit"] = "none"
    ca_file: str | None = None
    verify: bool = True
    server_name: str | None = None   # the name the certificate must have; else the endpoint's host


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What one handshake agreed on."""

    version: str        # "TLSv1.3"
    cipher: str         # "TLS_AES_256_GCM_SHA384"
    verified: bool      # False: the operator asked not to look at the certificate; a report shows it loudly
    peer_subject: str   # RFC 4514 text, printable ASCII only, for the peer wrote it; empty if it has none
    certificate: bytes = b""   # the peer's own, in DER; empty if it showed none


def make_client_context(policy: TlsPolicy) -> TlsContext:
    """Return the context for every connection of a run; made once, before it, since loading a store is slow.

    TLS 1.2 is the oldest version offered (RFC 8996, RFC 9325 §3.1.1). Raises UserError if `ca_file` cannot be
    read as PEM certificates.
    """
    if policy.ca_file is not None and not Path(policy.ca_file).is_file():
        raise UserError(f"The CA file {policy.ca_file} does not exist")
    try:
        context = ssl.create_default_context(cafile=policy.ca_file)
    except (OSError, ValueError) as exc:   # ssl.SSLError is an OSError
        raise UserError(f"The CA file {policy.ca_file} holds no PEM certificates that can be read") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION   # so that sending never has to receive first
    # CPython before 3.11.4 sets this: a connection that is cut would then look like one that ended properly.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def facts_of(connection: ssl.SSLObject) -> TlsFacts:
    """Read what a finished handshake agreed on."""
    cipher = connection.cipher()
    certificate = connection.getpeercert(binary_form=True)
    return TlsFacts(
        version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        verified=connection.context.verify_mode == ssl.CERT_REQUIRED,
        peer_subject=_subject_of(certificate) if certificate else "",
        certificate=certificate or b"",
    )


@lru_cache(maxsize=64)   # a run meets the same few certificates ten thousand times
def _subject_of(certificate: bytes) -> str:
    try:
        subject = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:
        return ""
    shown = subject.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(mark if mark.isprintable() else f"\\x{ord(mark):02x}" for mark in shown)[:200]


# OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
_WRONG_NAME = frozenset({62, 64})
_REASONS = {
    # OpenSSL's reason             what it means at the other end of a mail port
    "WRONG_VERSION_NUMBER":        "{peer} did not answer with TLS (is this a clear-text port?)",
    "HTTP_REQUEST":                "{peer} did not answer with TLS (is this a clear-text port?)",
    "RECORD_LAYER_FAILURE":        "{peer} did not answer with TLS (is this a clear-text port?)",
    "PACKET_LENGTH_TOO_LONG":      "{peer} did not answer with TLS (is this a clear-text port?)",
    "UNSUPPORTED_PROTOCOL":        "{peer} and this host have no TLS version in common",
    "TLSV1_ALERT_PROTOCOL_VERSION": "{peer} and this host have no TLS version in common",
    "SSLV3_ALERT_HANDSHAKE_FAILURE":
        "{peer} refused the TLS handshake (no cipher in common, or it wants a client certificate)",
}


def is_end_without_close_notify(error: ssl.SSLError) -> bool:
    """Return whether the connection ended below TLS. CPython before 3.11.4 has no exception of its own for it."""
    return isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING"


def tls_failure(error: ssl.SSLError, peer: str, *, in_handshake: bool) -> TlsFailed:
    """Say why TLS with `peer` could not be agreed, or broke."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = (error.verify_message or "not valid").rstrip(".")
        if error.verify_code in _WRONG_NAME:
            return TlsFailed(f"{peer} showed a certificate for another name ({why})", untrusted=True)
        return TlsFailed(f"{peer} showed a certificate that is not trusted ({why})", untrusted=True)
    if is_end_without_close_notify(error):
        return TlsFailed(f"{peer} closed the connection during the TLS handshake")
    reason = error.reason or "no reason given"
    if reason in _REASONS:
        return TlsFailed(_REASONS[reason].format(peer=peer))
    words = reason.replace("_", " ").lower()
    if in_handshake:
        return TlsFailed(f"{peer} refused the TLS handshake ({words})")
    return TlsFailed(f"TLS with {peer} broke ({words})")
