"""C2PA manifests: signed, read, damaged, removed and inherited, in the sandbox."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facecli.core.errors import FacecliError
from facecli.core.labels.findings import Finding, State
from facecli.core.video.media import never
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.labels.manifest import ManifestSigner, has_manifest, manifest_finding, sign_manifest

pytestmark = [pytest.mark.media, pytest.mark.slow]

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a clip, a signer, and the CAs of this and of another one."""
    folder = tmp_path_factory.mktemp("manifests")
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
    return folder


def sign(folder: Path, parent: str, signed: str) -> None:
    signer = ManifestSigner(certificate=folder / "chain.pem", key=folder / "key.pem")
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


def test_a_signed_file_is_an_edit_of_its_parent_made_with_ai(folder: Path) -> None:
    finding = found(folder / "signed.mp4", folder / "ca.pem")
    assert (finding.state, finding.says_ai) == (State.PRESENT, True)
    assert finding.details["actions"] == ["c2pa.opened", "c2pa.edited"]
    assert finding.details["sources"] == ["compositeWithTrainedAlgorithmicMedia"]
    assert (finding.details["parent"], finding.details["state"]) == (True, "Trusted")
    assert sorted(path.name for path in folder.glob("*.c2pa")) == []


def test_a_signer_of_another_ca_is_not_believed(folder: Path) -> None:
    finding = found(folder / "signed.mp4", folder / "other.pem")
    assert (finding.state, finding.says_ai) == (State.UNKNOWN, False)


def test_a_flipped_byte_breaks_the_signature(folder: Path) -> None:
    data = bytearray((folder / "signed.mp4").read_bytes())
    data[-100] ^= 1
    (folder / "flipped.mp4").write_bytes(data)
    assert found(folder / "flipped.mp4").state is State.DAMAGED


def test_the_manifest_of_the_input_is_kept(folder: Path) -> None:
    sign(folder, "signed.mp4", "again.mp4")
    assert found(folder / "again.mp4").details["manifests"] == 2


def test_a_key_of_another_certificate_signs_nothing(folder: Path, tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(other.private_bytes(serialization.Encoding.PEM, pem, plain))
    signer = ManifestSigner(certificate=folder / "chain.pem", key=tmp_path / "key.pem")
    with pytest.raises(FacecliError, match="cannot be signed"):
        sign_manifest(
            signer,
            folder / "clip.mp4",
            parent=folder / "clip.mp4",
            family="MP4",
            signed=tmp_path / "out.mp4",
            stopped=never,
        )


def test_only_outermost_boxes_are_looked_at(folder: Path, tmp_path: Path) -> None:
    assert [has_manifest(folder / name) for name in ("signed.mp4", "clip.mp4", "key.pem")] == [
        True,
        False,
        False,
    ]
    for number, data in enumerate((b"", b"\x00" * 8, b"\x00\x00\x00\x01free", b"\xff\xff\xff\xffuuid")):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert not has_manifest(path)
