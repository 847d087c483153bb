"""What a server on loopback needs to stand: a certificate that lives for one run."""

import contextlib
from collections.abc import Iterator

import trustme

from tests.interop.child import home
from tests.interop.mail_system import Certificate


@contextlib.contextmanager
def certificate_for_loopback() -> Iterator[Certificate]:
    """Give a certificate for loopback, signed by an authority made for this run."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost", "mx.example.test")
    with home("tls") as place:
        certificate = Certificate(place / "chain.pem", place / "key.pem", place / "authority.pem")
        for blob in issued.cert_chain_pems:
            blob.write_to_path(certificate.chain, append=True)
        issued.private_key_pem.write_to_path(certificate.key)
        authority.cert_pem.write_to_path(certificate.authority)
        certificate.key.chmod(0o644)  # it lives for one run on loopback, and each server's own user reads it
        yield certificate
