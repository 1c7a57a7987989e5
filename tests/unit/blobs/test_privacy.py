"""Other users of the machine cannot read a data directory, whatever its mode was."""

import os
import stat
from pathlib import Path

import pytest

from facecli.blobs.privacy import close_to_others, private_files
from facecli.bootstrap.maintenance import inspection
from facecli.bootstrap.server_components import server_components
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.core.damage import repair_each
from facecli.core.errors import PolicyRefused
from tests.support.cli import facecli
from tests.support.storage import Content, send_all


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A data directory that everybody can read, made under the usual umask."""
    before = os.umask(0o022)
    directory = tmp_path / "data"
    (directory / "uploads" / "u1").mkdir(parents=True)
    (directory / "uploads" / "u1" / "data").write_bytes(b"a face")
    (directory / "work").mkdir()
    os.umask(before)
    return directory


def modes(directory: Path) -> set[int]:
    return {stat.S_IMODE(path.lstat().st_mode) & 0o077 for path in (directory, *directory.rglob("*"))}


def of(directory: Path) -> Settings:
    return Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(directory), workers=0)


def test_a_server_closes_an_open_directory_with_everything_inside(opened: Path) -> None:
    with server_components(of(opened)) as components:
        assert modes(opened) == {0}
        send_all(components.upload_service, Content(size=10))
        assert modes(opened) == {0}
    assert modes(opened) == {0}


def test_a_token_command_makes_a_directory_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with tokens(of(tmp_path / "new")):
            pass
        assert modes(tmp_path / "new") == {0}
        assert os.umask(0) == 0, "the umask is that of before"
    finally:
        os.umask(before)


def test_a_directory_with_files_of_others_is_refused_and_left_alone(opened: Path) -> None:
    (opened / "holiday.jpg").touch()
    before = modes(opened)
    with pytest.raises(PolicyRefused, match=r"\(mode 755\), and it holds holiday.jpg, .* chmod 700"):
        close_to_others(opened)
    assert modes(opened) == before


def test_a_link_inside_does_not_open_or_close_its_target(opened: Path, tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "target").chmod(0o644)
    (opened / "work" / "link").symlink_to(tmp_path / "target")
    assert close_to_others(opened)
    assert not close_to_others(opened)
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o644


def test_an_integrity_check_reports_and_repairs_an_open_directory(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with server_components(of(directory)):
        pass
    directory.chmod(0o755)
    for repair in (False, True):
        with inspection(of(directory), quick=True, on_bytes=lambda size: None) as check:
            ((damage, repaired),) = repair_each(check.damages(), repair=repair)
        assert (damage.id, damage.problem.endswith("(mode 755)"), repaired) == ("permissions", True, repair)
    assert modes(directory) == {0}


def test_doctor_reports_an_open_directory(opened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACECLI_DATA_DIR", str(opened))
    checks = {each["check"]: each for each in facecli("doctor", "--server", "127.0.0.1:1", "--json").objects}
    assert not checks["disk"]["ok"]
    assert "(mode 755)" in checks["disk"]["found"]


def test_files_made_within_are_private(tmp_path: Path) -> None:
    with private_files():
        (tmp_path / "file").touch()
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
