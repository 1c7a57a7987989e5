"""C2PA manifests: signed, read, damaged, removed and inherited, in the sandbox."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from facecli.core.errors import FacecliError
from facecli.core.labels.findings import State
from facecli.core.video.media import never
from facecli.media.labels.manifest import ManifestSigner, has_manifest, sign_manifest
from tests.support.media.manifests import found, sign

pytestmark = [pytest.mark.media, pytest.mark.slow]


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
