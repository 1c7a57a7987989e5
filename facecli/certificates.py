"""Certificates for development, issued by trustme: a CA, a server certificate and a client certificate."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.core.errors import AlreadyExists, FacecliError, InvalidInput

if TYPE_CHECKING:
    import trustme
    from cryptography import x509

VALIDITY = timedelta(days=365)
_CLOCK_SKEW = timedelta(hours=1)  # a client's clock may be slow
_ORGANIZATION = "facecli development"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevCertificates:
    """Paths of the PEM files. Only their owner can read the keys."""

    ca: Path
    ca_key: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_dev_certificates(directory: Path, *, hosts: Sequence[str], user: str) -> DevCertificates:
    """Create all six files: a CA, a server certificate for the hosts, and a client certificate for the user.

    AlreadyExists if one of the files exists, before anything is written; InvalidInput if one cannot be
    written; FacecliError without the `tls` extra.
    """
    try:
        import trustme
        from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
    except ImportError as error:
        raise FacecliError("creating certificates needs trustme: pip install trustme") from error
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
            raise AlreadyExists(f"{path} already exists; choose another directory")
    ca = trustme.CA(path_length=0, organization_name=_ORGANIZATION, organization_unit_name="CA")
    server, server_key = _issue(ca, *hosts, name=hosts[0], purpose=Purpose.SERVER_AUTH)
    client, client_key = _issue(ca, name=user, purpose=Purpose.CLIENT_AUTH)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(files.ca_key, _pkcs8(ca.private_key_pem.bytes()), mode=0o600)
        _write(files.server_key, server_key, mode=0o600)
        _write(files.client_key, client_key, mode=0o600)
        _write(files.ca, ca.cert_pem.bytes(), mode=0o644)
        _write(files.server, server, mode=0o644)
        _write(files.client, client, mode=0o644)
    except OSError as error:
        raise InvalidInput(f"cannot write certificates to {directory}: {error.strerror}") from error
    return files


def _issue(ca: "trustme.CA", *hosts: str, name: str, purpose: "x509.ObjectIdentifier") -> tuple[bytes, bytes]:
    """Issue a certificate for one purpose; the certificate and its key, both PEM."""
    now = datetime.now(UTC)
    try:
        leaf = ca.issue_cert(
            *hosts,
            common_name=name,
            organization_name=_ORGANIZATION,
            not_before=now - _CLOCK_SKEW,
            not_after=now + VALIDITY,
        )
    except ValueError as error:
        if hosts:
            raise InvalidInput(f"not a host name or address: {error}") from error
        raise InvalidInput(
            f"{name!r} cannot be the name in a certificate: it has 1 to 64 characters"
        ) from error
    certificate = _with_purpose(ca, leaf.cert_chain_pems[0].bytes(), purpose)
    return certificate, _pkcs8(leaf.private_key_pem.bytes())


def _with_purpose(ca: "trustme.CA", pem: bytes, purpose: "x509.ObjectIdentifier") -> bytes:
    """Sign the certificate again for this purpose alone.

    trustme's certificates are good for servers and clients, so the server's would also authenticate a user.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    issued = x509.load_pem_x509_certificate(pem)
    builder = x509.CertificateBuilder(
        issuer_name=issued.issuer,
        subject_name=issued.subject,
        public_key=issued.public_key(),
        serial_number=issued.serial_number,
        not_valid_before=issued.not_valid_before_utc,
        not_valid_after=issued.not_valid_after_utc,
    )
    for extension in issued.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName) and not [*value]:
            continue  # a client's certificate has none, and an empty one is malformed
        if isinstance(value, x509.ExtendedKeyUsage):
            value = x509.ExtendedKeyUsage([purpose])
        builder = builder.add_extension(value, critical=extension.critical)
    key: Any = load_pem_private_key(ca.private_key_pem.bytes(), password=None)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _pkcs8(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key, password=None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Create the file with this mode from the start; never overwrite."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
