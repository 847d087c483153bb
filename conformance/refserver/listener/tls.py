"""TLS for the listeners: from the operator's files, or made for this run."""

import ssl
from pathlib import Path

import trio
import trustme

from conformance.refserver.errors import ServerSetupError
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.tls_link import TlsLink


def context_from_files(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a server context with this certificate chain. Raises ServerSetupError when it cannot be used."""
    context = _context()
    try:
        context.load_cert_chain(certificate, key)
    except OSError as exc:       # ssl.SSLError is one
        raise ServerSetupError(f"cannot use certificate {certificate} with key {key}: {exc}") from exc
    return context


def self_made_context(names: list[str], ca_file: Path) -> ssl.SSLContext:
    """Return a server context for these names, and write the CA that vouches for it to `ca_file`.

    Raises ServerSetupError when the file cannot be written.
    """
    authority = trustme.CA()
    context = _context()
    authority.issue_cert(*names).configure_cert(context)
    try:
        ca_file.write_bytes(authority.cert_pem.bytes())
    except OSError as exc:
        raise ServerSetupError(f"cannot write the CA to {ca_file}: {exc.strerror}") from exc
    return context


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2      # RFC 8314 §4, RFC 8996
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def start_tls_with(context: ssl.SSLContext) -> StartTls:
    """Return the function that lays TLS over a stream."""

    async def start_tls(stream: trio.abc.Stream) -> tuple[trio.abc.Stream, str]:
        secured = TlsLink(stream, context)
        try:
            await secured.handshake()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)
            raise
        return secured, secured.cipher

    return start_tls
