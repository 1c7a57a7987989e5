"""The power fails: whatever was acknowledged is on the disk, with the right bytes."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files as kept
from tests.support.e2e.disks import Ext4
from tests.support.e2e.fault_proxy import held as held_line
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import Running, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server

pytestmark = needs("ext4")

SIZE = 32  # MiB
CUTS = 3


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Ext4]:
    with Ext4(tmp_path / "image", tmp_path / "disk", mib=128) as mounted:
        yield mounted


def test_what_was_acknowledged_survives_power_cuts_in_the_middle_of_an_upload(
    disk: Ext4, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.folder / "data", options=["--workers", "0"]), file(SIZE)
    moments = sorted(random.Random(user).sample(range(1, SIZE - 8), CUTS))
    told = 0
    for moment in moments:
        # The relay holds the upload before it is through, so that every cut finds it unfinished.
        with (
            held_line(server.address, after=(moment + 6) * MIB - told) as relay,
            Running(*command(path, relay.address, user), "--retry-for", "0s") as upload,
        ):
            upload.stored(moment * MIB)
            cut_power(server, disk)
            told = kept.acknowledged(upload.done())
        server.start()
        kept.check_agreement(server, user)
        row = kept.upload(server, user, path.name)
        there = kept.chunks(server, user, row.upload_id)
        assert moment * MIB <= told <= row.stored_bytes < SIZE * MIB
        assert there.items() <= kept.crc32c_of_chunks(path, MIB).items()
    done = run(*command(path, server.address, user)).object
    assert done["bytes_skipped"] >= told
    assert server.sha256(done["file_url"], user) == sha256(path)
    server.terminate()
    check_whole(server)


def test_acknowledged_bytes_on_a_disk_of_their_own_survive_a_cut_that_leaves_the_rows_alone(
    serve: Serve, user: str, file: MakeFile, tmp_path: Path
) -> None:
    """On one disk the flush of a row takes the bytes of the file along; here nothing but their own does."""
    (tmp_path / "data").mkdir(mode=0o700)
    with Ext4(tmp_path / "own", tmp_path / "data" / "uploads", mib=128) as disk:
        server, path = serve(options=["--workers", "0"]), file(SIZE)
        with (
            held_line(server.address, after=SIZE // 2 * MIB) as relay,
            Running(*command(path, relay.address, user), "--retry-for", "0s") as upload,
        ):
            upload.stored(SIZE // 4 * MIB)
            cut_power(server, disk)
            told = kept.acknowledged(upload.done())
        server.start()
        row = kept.upload(server, user, path.name)
        assert SIZE // 4 * MIB <= told <= row.stored_bytes
        there = kept.bytes_of(server, row.upload_id).read_bytes()
        for index, checksum in kept.chunks(server, user, row.upload_id).items():
            assert crc32c(there[index * MIB : (index + 1) * MIB]) == checksum, f"chunk {index} is lost"
        done = run(*command(path, server.address, user)).object
        assert done["bytes_skipped"] >= told
        assert server.sha256(done["file_url"], user) == sha256(path)
        server.terminate()
        check_whole(server)


def test_a_complete_file_survives_a_power_cut_right_after_its_last_acknowledgement(
    disk: Ext4, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.folder / "data", options=["--workers", "0"]), file(SIZE)
    with Running(*command(path, server.address, user)) as upload:
        upload.stored(SIZE * MIB)
        cut_power(server, disk)
        server.start()
        done = upload.done()
    assert done.code == 0
    kept.check_agreement(server, user)
    assert server.sha256(done.object["file_url"], user) == sha256(path)
    again = run(*command(path, server.address, user)).object
    assert (again["file_url"], again["bytes_sent"]) == (done.object["file_url"], 0)
    server.terminate()
    check_whole(server)


def command(path: Path, address: str, user: str) -> tuple[object, ...]:
    to = ("--server", address, "--user", user, "--chunk-size", MIB)
    return ("upload", path, *to, "--progress", "json", "--json")


def cut_power(server: Server, disk: Ext4) -> None:
    """Off and on again; the server is not started."""
    disk.cut_power()
    server.kill()
    disk.unmount()
    disk.mount()
