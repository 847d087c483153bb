"""Certificates for both ends."""

import ssl
from pathlib import Path

import pytest
import trustme

from loadgen.transport.tls import TlsPolicy, make_client_context
from tests.session.theatre import SERVER_NAME, Tls


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = trustme.CA()
    ca_file: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(SERVER_NAME).configure_cert(server)
    return Tls(server, make_client_context(TlsPolicy("starttls", str(ca_file))))
