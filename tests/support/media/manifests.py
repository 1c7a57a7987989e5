"""Signers of C2PA manifests with a CA of their own, and files that they have signed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facecli.core.labels.findings import Finding
from facecli.core.video.media import never
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.labels.manifest import ManifestSigner, manifest_finding, sign_manifest

_DAY = timedelta(days=1)
_USES = (
    *("digital_signature", "key_cert_sign", "crl_sign", "content_commitment", "key_encipherment"),
    *("data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
)


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, *, issuer: str, by: ec.EllipticCurvePrivateKey, uses: set[str]
) -> bytes:
    """A certificate in PEM: of a CA if its uses say so, else of a signer."""
    is_ca = "key_cert_sign" in uses
    now = datetime.now(UTC)
    names = [
        x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
                x509.NameAttribute(NameOID.COMMON_NAME, each),
            ]
        )
        for each in (name, issuer)
    ]
    builder = x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - _DAY).not_valid_after(now + 30 * _DAY)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_ca, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), False),
        (x509.KeyUsage(**{use: use in uses for use in _USES}), True),
    ]
    if not is_ca:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_signed(folder: Path) -> None:
    """Write a clip, a signer, the CAs of this and of another one, and the signed clip."""
    ca, other, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    may = {"digital_signature", "key_cert_sign", "crl_sign"}
    for name, key in (("ca", ca), ("other", other)):
        (folder / f"{name}.pem").write_bytes(certificate(name, key, issuer=name, by=key, uses=may))
    leaf = certificate("studio", signer, issuer="ca", by=ca, uses={"digital_signature"})
    (folder / "chain.pem").write_bytes(leaf + (folder / "ca.pem").read_bytes())
    pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(signer.private_bytes(serialization.Encoding.PEM, pem, plain))
    FfmpegMedia().make_clip(folder / "clip.mp4", seconds=1, width=64, height=64)
    sign(folder, "clip.mp4", "signed.mp4")


def sign(folder: Path, parent: str, signed: str, *, time_stamp: str = "", seconds: float = 60.0) -> None:
    """Sign the clip as an edit of another file, with a time stamp within so many seconds."""
    signer = ManifestSigner(
        certificate=folder / "chain.pem",
        key=folder / "key.pem",
        time_stamp=time_stamp,
        time_stamp_seconds=seconds,
    )
    sign_manifest(
        signer,
        folder / "clip.mp4",
        parent=folder / parent,
        family="MP4",
        signed=folder / signed,
        stopped=never,
    )


def found(file: Path, trust: Path | None = None) -> Finding:
    return manifest_finding(file, trust=trust, stopped=never)
