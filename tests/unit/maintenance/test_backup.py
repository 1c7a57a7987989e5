"""Backup and restore: a restored data directory has every acknowledged byte as of the backup."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from facecli.bootstrap.backup import back_up, restore_backup
from facecli.bootstrap.maintenance import inspection
from facecli.bootstrap.server import run_server
from facecli.bootstrap.server_components import ServerComponents, server_components
from facecli.config.settings import Settings
from facecli.core.errors import BytesDiffer, InvalidInput
from facecli.maintenance.manifest import commit_manifest, read_manifest
from facecli.uploads.upload import Upload
from tests.support.storage import CHUNK, Content, send, send_all

WHOLE, BEGUN, LATER = (Content(size=3 * CHUNK + 7, seed=seed) for seed in (1, 2, 3))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(tmp_path / "data"), workers=0)


def complete(components: ServerComponents, content: Content) -> Upload:
    return send_all(components.upload_service, content, new=replace(content.new, fingerprint=content.seed))


def begin(components: ServerComponents, content: Content) -> Upload:
    """An upload with two of its chunks, one of them replaced."""
    service = components.upload_service
    upload, _ = service.begin(replace(content.new, fingerprint=content.seed))
    service.put_chunk(upload.id, replace(WHOLE.frame(0)), owner="ann")
    with service.writer(upload.id, owner="ann") as writer:
        return send(service, writer, content, [0, 2])


def restored(settings: Settings, backup: Path, name: str = "restored") -> Settings:
    new = replace(settings, data_dir=str(Path(settings.data_dir).with_name(name)))
    restore_backup(new, backup)
    return new


def check_whole(settings: Settings) -> None:
    with inspection(settings, quick=False, on_bytes=lambda size: None) as check:
        assert list(check.damages()) == []


def content_of(settings: Settings, upload: Upload) -> bytes:
    return (Path(settings.data_dir) / upload.blob_key / "data").read_bytes()


def test_a_backup_of_a_running_server_restores_every_acknowledged_byte(
    settings: Settings, tmp_path: Path
) -> None:
    with server_components(settings) as components:
        whole, begun = complete(components, WHOLE), begin(components, BEGUN)
        back_up(settings, tmp_path / "backup")
        complete(components, LATER)
    new = restored(settings, tmp_path / "backup")
    check_whole(new)
    assert content_of(new, whole) == WHOLE.data
    with run_server(new):
        pass  # the restored database is no older than its directory
    with server_components(new) as components:
        service = components.upload_service
        again, chunks = service.begin(replace(BEGUN.new, fingerprint=BEGUN.seed))
        assert (again.id, [chunk.index for chunk in chunks]) == (begun.id, [0, 2])
        with service.writer(again.id, owner="ann") as writer:
            finished = send(service, writer, BEGUN, [1, 3])
    assert content_of(new, finished) == BEGUN.data


def test_the_next_backup_copies_only_what_is_new(settings: Settings, tmp_path: Path) -> None:
    big = Content(size=300 * CHUNK, seed=4)
    with server_components(settings) as components:
        gone, kept = complete(components, big), complete(components, WHOLE)
        first = back_up(settings, tmp_path / "backup")
        components.upload_service.cancel(gone.id, owner="ann")
        second = back_up(settings, tmp_path / "backup")
    assert first.copied_bytes - second.copied_bytes > big.size
    new = restored(settings, tmp_path / "backup")
    check_whole(new)
    assert content_of(new, kept) == WHOLE.data
    assert not list((tmp_path / "backup").rglob(f"{gone.id}*"))


def test_an_older_backup_of_the_database_alone_is_refused_by_serve(
    settings: Settings, tmp_path: Path
) -> None:
    with server_components(settings) as components:
        complete(components, WHOLE)
        back_up(settings, tmp_path / "backup")
        complete(components, LATER)
    (stored,) = (tmp_path / "backup" / "files").glob("facecli.db.*")
    (Path(settings.data_dir) / "facecli.db").write_bytes(stored.read_bytes())
    with pytest.raises(Exception, match="the database is older"):
        run_server(settings).__enter__()


@pytest.mark.parametrize("harm", ["flip", "cut", "delete", "link", "manifest", "index"])
def test_a_damaged_backup_is_not_restored(settings: Settings, tmp_path: Path, harm: str) -> None:
    with server_components(settings) as components:
        upload = complete(components, WHOLE)
        back_up(settings, tmp_path / "backup")
    stored = tmp_path / "backup" / "files" / upload.blob_key / "data"
    if harm == "manifest":
        (stored,) = (tmp_path / "backup").glob("manifest-*")
    if harm == "index":
        stored = tmp_path / "backup" / "backup.json"
    if harm == "cut":
        os.truncate(stored, stored.stat().st_size - 1)
    elif harm in {"delete", "link"}:
        stored.unlink()
    else:
        stored.write_bytes(b"x" + stored.read_bytes()[1:])
    if harm == "link":
        stored.symlink_to("/etc/hostname")
    with pytest.raises(BytesDiffer):
        restored(settings, tmp_path / "backup")
    assert not (tmp_path / "restored").exists()


def test_damaged_bytes_are_not_backed_up_and_the_backup_before_stays(
    settings: Settings, tmp_path: Path
) -> None:
    with server_components(settings) as components:
        first = complete(components, WHOLE)
        back_up(settings, tmp_path / "backup")
        second = complete(components, LATER)
    path = Path(settings.data_dir) / second.blob_key / "data"
    path.write_bytes(b"x" + path.read_bytes()[1:])
    with pytest.raises(BytesDiffer, match="facecli fsck"):
        back_up(settings, tmp_path / "backup")
    assert content_of(restored(settings, tmp_path / "backup"), first) == WHOLE.data


def test_other_directories_are_refused_and_left_alone(settings: Settings, tmp_path: Path) -> None:
    with server_components(settings) as components:
        complete(components, WHOLE)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(InvalidInput, match=r"holds holiday\.jpg"):
        back_up(settings, tmp_path / "photos")
    for file in (Path("/dev/null"), tmp_path / "photos" / "holiday.jpg"):
        with pytest.raises(InvalidInput, match=f"{file} exists and is not a directory"):
            back_up(settings, file)
    with pytest.raises(InvalidInput, match="is in the data directory"):
        back_up(settings, Path(settings.data_dir) / "backup")
    with pytest.raises(InvalidInput, match="is not a backup"):
        restored(settings, tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no complete backup"):
        restored(settings, tmp_path / "empty")
    back_up(settings, tmp_path / "backup")
    with pytest.raises(InvalidInput, match="is not empty"):
        restored(settings, tmp_path / "backup", "photos")
    with server_components(replace(settings, data_dir=str(tmp_path / "other"))):
        pass
    with pytest.raises(InvalidInput, match="of another data directory"):
        back_up(replace(settings, data_dir=str(tmp_path / "other")), tmp_path / "backup")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["holiday.jpg"]
    for elsewhere in replace(settings, database="postgresql://x/x"), replace(settings, blobs="s3://x"):
        with pytest.raises(InvalidInput, match=r"first, .*copy the (data|bucket)"):
            back_up(elsewhere, tmp_path / "backup")


def test_a_backup_cannot_write_outside_of_the_data_directory(settings: Settings, tmp_path: Path) -> None:
    with server_components(settings) as components:
        complete(components, WHOLE)
    back_up(settings, tmp_path / "backup")
    manifest = read_manifest(tmp_path / "backup")
    assert manifest
    file = next(iter(manifest.files.values()))
    for name in ("../escaped", str(tmp_path / "escaped")):
        commit_manifest(tmp_path / "backup", replace(manifest, files={name: replace(file, name=name)}))
        with pytest.raises(BytesDiffer, match="outside of a data directory"):
            restored(settings, tmp_path / "backup")
    assert not (tmp_path / "escaped").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from facecli.bootstrap.backup import back_up, restore_backup
from facecli.config.settings import Settings

left = int(sys.argv[4])

def stepping(function):
    def call(*args, **kwargs):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

for name in ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir"):
    setattr(os, name, stepping(getattr(os, name)))
{"backup": back_up, "restore": restore_backup}[sys.argv[1]](
    Settings(data_dir=sys.argv[2]), Path(sys.argv[3])
)
"""


def killed(command: str, data_dir: str, backup: Path, step: int) -> bool:
    words = [sys.executable, "-c", KILLED, command, data_dir, str(backup), str(step)]
    code = subprocess.run(words, check=False).returncode
    assert code in {0, -signal.SIGKILL}
    return code != 0


@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_a_whole_one(settings: Settings, tmp_path: Path) -> None:
    with server_components(settings) as components:
        first = complete(components, WHOLE)
        back_up(settings, tmp_path / "backup")
        begin(components, BEGUN)
        complete(components, LATER)
    for step in count(1, 7):
        survived = not killed("backup", settings.data_dir, tmp_path / "backup", step)
        new = restored(settings, tmp_path / "backup", f"restored {step}")
        check_whole(new)
        assert content_of(new, first) == WHOLE.data
        if survived:
            return


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_nothing_or_the_whole(settings: Settings, tmp_path: Path) -> None:
    with server_components(settings) as components:
        complete(components, WHOLE)
        back_up(settings, tmp_path / "backup")
    for step in count(1, 7):
        target = replace(settings, data_dir=str(tmp_path / "restored"))
        was_killed = killed("restore", target.data_dir, tmp_path / "backup", step)
        if Path(target.data_dir).exists():
            check_whole(target)
            return
        assert was_killed
