"""Client certificates authenticate the user that they name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from facecli.bootstrap.server import run_server
from facecli.certificates import DevCertificates, make_dev_certificates
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.errors import ServerUnreachable, Unauthenticated
from facecli.core.tls import ClientTls
from tests.support.rpc.over_tls import over_tls, seen_as


def test_a_client_certificate_authenticates_and_a_token_takes_precedence(
    settings: Settings, certs: DevCertificates, others: DevCertificates, made: Tokens
) -> None:
    shown = ClientTls(ca=str(certs.ca), cert=str(certs.client), key=str(certs.client_key))
    with run_server(over_tls(settings, certs, tls_client_ca=str(certs.ca))) as server:
        assert seen_as(server.address, shown) == "ann"
        assert seen_as(server.address, shown, made.create("bob")[1]) == "bob"
        with pytest.raises(Unauthenticated):
            seen_as(server.address, shown, "fc_wrong")
        none = ClientTls(ca=str(certs.ca))
        theirs = replace(none, cert=str(others.client), key=str(others.client_key))
        servers = replace(none, cert=str(certs.server), key=str(certs.server_key))
        for tls in (none, theirs, servers):
            with pytest.raises(ServerUnreachable, match="a client certificate"):
                seen_as(server.address, tls)


def test_a_certificate_without_a_client_ca_authenticates_no_one(
    settings: Settings, certs: DevCertificates
) -> None:
    shown = ClientTls(ca=str(certs.ca), cert=str(certs.client), key=str(certs.client_key))
    with run_server(over_tls(settings, certs, auth="token")) as server, pytest.raises(Unauthenticated):
        seen_as(server.address, shown)


def test_a_certificate_with_an_invalid_user_name_is_refused(settings: Settings, tmp_path: Path) -> None:
    certs = make_dev_certificates(tmp_path / "certs", hosts=["localhost"], user=" ann")
    shown = ClientTls(ca=str(certs.ca), cert=str(certs.client), key=str(certs.client_key))
    with (
        run_server(over_tls(settings, certs, tls_client_ca=str(certs.ca))) as server,
        pytest.raises(Unauthenticated, match="the name in the certificate"),
    ):
        seen_as(server.address, shown)


def test_a_certificate_without_a_common_name_uses_its_first_alternative_name(
    settings: Settings, certs: DevCertificates, tmp_path: Path
) -> None:
    shown = tmp_path / "ann.pem"
    shown.write_bytes(nameless(certs, x509.RFC822Name("ann@example.org"), x509.DNSName("bob.example.org")))
    tls = ClientTls(ca=str(certs.ca), cert=str(shown), key=str(certs.client_key))
    with run_server(over_tls(settings, certs, tls_client_ca=str(certs.ca))) as server:
        assert seen_as(server.address, tls) == "ann@example.org"


def nameless(certs: DevCertificates, *names: x509.GeneralName) -> bytes:
    """A certificate for the client's key, with these names alone."""
    authority = x509.load_pem_x509_certificate(certs.ca.read_bytes())
    key = x509.load_pem_x509_certificate(certs.client.read_bytes()).public_key()
    by = load_pem_private_key(certs.ca_key.read_bytes(), password=None)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer_name=authority.subject, subject_name=x509.Name([]), public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
    )
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)  # type: ignore[arg-type]
