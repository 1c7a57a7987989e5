"""The expiry of certificates, as the library for certificates reads it."""

from pathlib import Path

import pytest
from cryptography import x509

from facecli.certificates import make_dev_certificates
from facecli.telemetry.certificate_expiry import certificate_expiry


def test_the_expiry_is_the_one_in_the_certificate(tmp_path: Path) -> None:
    certs = make_dev_certificates(tmp_path, hosts=["localhost"], user="ann")
    for file in (certs.server, certs.ca):
        expected = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        assert certificate_expiry(file) == expected.timestamp()


def test_the_first_certificate_of_a_chain_counts(tmp_path: Path) -> None:
    certs = make_dev_certificates(tmp_path, hosts=["localhost"], user="ann")
    chain = tmp_path / "chain.pem"
    chain.write_text(f"# a comment\n{certs.server.read_text()}{certs.ca.read_text()}")
    assert certificate_expiry(chain) == certificate_expiry(certs.server)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAQwAjAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
    ],
    ids=["empty", "cut off", "not base64", "without a validity", "without an end"],
)
def test_a_file_that_is_no_certificate_has_no_expiry(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.pem"
    file.write_text(text)
    assert certificate_expiry(file) is None


def test_a_missing_file_has_no_expiry(tmp_path: Path) -> None:
    assert certificate_expiry(tmp_path / "missing.pem") is None
