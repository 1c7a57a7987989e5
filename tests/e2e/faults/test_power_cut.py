"""Power cuts: every acknowledged byte is on the disk and right."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.e2e.conftest import MakeFile, Serve
from tests.support.e2e import stored_files
from tests.support.e2e.disks import Ext4
from tests.support.e2e.fault_proxy import holding_proxy
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.fsck import check_whole
from tests.support.e2e.process import CommandProcess, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server
from tests.support.e2e.uploads import acknowledged, upload_command
from tests.support.sockets import reserved_address
from tests.support.web.tus_upload import TusUpload

pytestmark = needs("ext4")

SIZE = 32  # MiB
CUTS = 3


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Ext4]:
    with Ext4(tmp_path / "image", tmp_path / "disk", mib=128) as mounted:
        yield mounted


def test_acknowledged_bytes_survive_power_cuts_during_an_upload(
    disk: Ext4, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.folder / "data", options=["--workers", "0"]), file(SIZE)
    cut_points = sorted(random.Random(user).sample(range(1, SIZE - 8), CUTS))
    confirmed = 0
    for cut_point in cut_points:
        # The proxy holds back the end of the file, so that every cut finds the upload incomplete.
        with (
            holding_proxy(server.address, after=(cut_point + 6) * MIB - confirmed) as proxy,
            CommandProcess(*upload_command(path, proxy.address, user), "--retry-for", "0s") as upload,
        ):
            upload.wait_until_stored(cut_point * MIB)
            cut_power(server, disk)
            confirmed = acknowledged(upload.wait())
        server.start()
        stored_files.check_agreement(server, user)
        row = stored_files.upload(server, user, path.name)
        chunks = stored_files.chunks(server, user, row.upload_id)
        assert cut_point * MIB <= confirmed <= row.stored_bytes < SIZE * MIB
        assert chunks.items() <= stored_files.crc32c_of_chunks(path, MIB).items()
    result = run(*upload_command(path, server.address, user)).object
    assert result["bytes_skipped"] >= confirmed
    assert server.sha256(result["file_url"], user) == sha256(path)
    server.terminate()
    check_whole(server)


def test_acknowledged_bytes_on_a_separate_disk_survive_its_power_cut(
    serve: Serve, user: str, file: MakeFile, tmp_path: Path
) -> None:
    """On one disk a flush of the rows also flushes the file; here only the flush of the file does."""
    (tmp_path / "data").mkdir(mode=0o700)
    with Ext4(tmp_path / "own", tmp_path / "data" / "uploads", mib=128) as disk:
        server, path = serve(options=["--workers", "0"]), file(SIZE)
        with (
            holding_proxy(server.address, after=SIZE // 2 * MIB) as proxy,
            CommandProcess(*upload_command(path, proxy.address, user), "--retry-for", "0s") as upload,
        ):
            upload.wait_until_stored(SIZE // 4 * MIB)
            cut_power(server, disk)
            confirmed = acknowledged(upload.wait())
        server.start()
        row = stored_files.upload(server, user, path.name)
        assert SIZE // 4 * MIB <= confirmed <= row.stored_bytes
        data = stored_files.data_file(server, row.upload_id).read_bytes()
        for index, checksum in stored_files.chunks(server, user, row.upload_id).items():
            assert crc32c(data[index * MIB : (index + 1) * MIB]) == checksum, f"chunk {index} is lost"
        result = run(*upload_command(path, server.address, user)).object
        assert result["bytes_skipped"] >= confirmed
        assert server.sha256(result["file_url"], user) == sha256(path)
        server.terminate()
        check_whole(server)


def test_a_complete_file_survives_a_power_cut_after_its_last_acknowledgement(
    disk: Ext4, serve: Serve, user: str, file: MakeFile
) -> None:
    server, path = serve(data=disk.folder / "data", options=["--workers", "0"]), file(SIZE)
    with CommandProcess(*upload_command(path, server.address, user)) as upload:
        upload.wait_until_stored(SIZE * MIB)
        cut_power(server, disk)
        server.start()
        result = upload.wait()
    assert result.code == 0
    stored_files.check_agreement(server, user)
    assert server.sha256(result.object["file_url"], user) == sha256(path)
    again = run(*upload_command(path, server.address, user)).object
    assert (again["file_url"], again["bytes_sent"]) == (result.object["file_url"], 0)
    server.terminate()
    check_whole(server)


def test_an_offset_that_tus_answered_survives_a_power_cut_wherever_it_is(
    disk: Ext4, serve: Serve, file: MakeFile
) -> None:
    """In the middle of a chunk, and in the middle of the next one, whose first bytes were a tail before."""
    data = file(10).read_bytes()
    with reserved_address() as address:
        server = serve(data=disk.folder / "data", options=["--workers", "0", "--http", address])
        upload = TusUpload(f"http://{address}", data)
        for _ in range(2):
            upload.send()
            assert upload.answered % MIB
            cut_power(server, disk)
            server.start()
            assert upload.offset() == upload.answered
        upload.send_all()
        cut_power(server, disk)
        server.start()
        assert upload.sha256() == hashlib.sha256(data).hexdigest()
        server.terminate()
        check_whole(server)


def cut_power(server: Server, disk: Ext4) -> None:
    """Cut the power and restore it, without a restart of the server."""
    disk.cut_power()
    server.kill()
    disk.unmount()
    disk.mount()
