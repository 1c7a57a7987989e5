"""Certificates for development: an authority of one's own, a server's and a client's."""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.core.errors import AlreadyExists, FacecliError, InvalidInput

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DAYS = 365
_SKEW = timedelta(hours=1)  # a client's clock may be behind


@dataclass(frozen=True, slots=True, kw_only=True)
class DevCertificates:
    """Where they lie, PEM all of them; every key is for its owner's eyes alone."""

    ca: Path
    ca_key: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_dev_certificates(directory: Path, *, hosts: Sequence[str], user: str) -> DevCertificates:
    """Make all six files: a server that is at any of these hosts, a client that is this user.

    AlreadyExists before anything is written when one of them is there, InvalidInput when one cannot be
    written, FacecliError without the package that makes them.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID
    except ImportError as error:
        raise FacecliError(
            "making certificates needs a package: pip install 'facecli[tls]' (serving with your own does not)"
        ) from error
    files = DevCertificates(
        ca=directory / "ca.pem",
        ca_key=directory / "ca.key",
        server=directory / "server.pem",
        server_key=directory / "server.key",
        client=directory / "client.pem",
        client_key=directory / "client.key",
    )
    for path in (getattr(files, name) for name in DevCertificates.__slots__):
        if path.exists():
            raise AlreadyExists(f"{path} is there already and is not written over; choose another directory")
    ca_key, server_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca_name = "facecli development CA"
    ca = _signed(ca_name, ca_key, issuer=ca_name, by=ca_key, extensions=_authority())
    server = _signed(
        hosts[0],
        server_key,
        issuer=ca_name,
        by=ca_key,
        extensions=[_hosts(hosts), *_end(ExtendedKeyUsageOID.SERVER_AUTH)],
    )
    client = _signed(
        user, client_key, issuer=ca_name, by=ca_key, extensions=_end(ExtendedKeyUsageOID.CLIENT_AUTH)
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, key in (
            (files.ca_key, ca_key),
            (files.server_key, server_key),
            (files.client_key, client_key),
        ):
            _write(path, _key_pem(key), mode=0o600)
        for path, certificate in ((files.ca, ca), (files.server, server), (files.client, client)):
            _write(path, _pem(certificate), mode=0o644)
    except OSError as error:
        raise InvalidInput(f"cannot write certificates to {directory}: {error.strerror}") from error
    return files


def _signed(
    name: str,
    key: "EllipticCurvePrivateKey",
    *,
    issuer: str,
    by: "EllipticCurvePrivateKey",
    extensions: "list[tuple[x509.ExtensionType, bool]]",
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(by, hashes.SHA256())


def _name(name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    except ValueError as error:
        raise InvalidInput(f"{name!r} cannot be the name in a certificate: it has 1 to 64 letters") from error


def _hosts(hosts: Sequence[str]) -> "tuple[x509.ExtensionType, bool]":
    """Under which a client may look for the server: names and addresses."""
    from cryptography import x509

    names: list[Any] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            try:
                names.append(x509.DNSName(host))
            except ValueError as error:
                raise InvalidInput(f"{host!r} is neither a host name nor an address") from error
    return x509.SubjectAlternativeName(names), False


def _authority() -> "list[tuple[x509.ExtensionType, bool]]":
    from cryptography import x509

    return [(x509.BasicConstraints(ca=True, path_length=0), True), (_usage(key_cert_sign=True), True)]


def _end(purpose: "x509.ObjectIdentifier") -> "list[tuple[x509.ExtensionType, bool]]":
    """Signs nothing, and is good for this purpose only."""
    from cryptography import x509

    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([purpose]), False),
    ]


def _usage(*, key_cert_sign: bool = False, digital_signature: bool = False) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Never over what is there, and never for a moment readable by more than `mode` says."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
