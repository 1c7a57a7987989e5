"""Two layers keep a media file from other files and the network, and each alone is enough.

The first is the allowlist of formats and protocols on ffmpeg's command line, the second the sandbox.
"""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits
from facecli.media.commands import first_frame_command
from facecli.media.run import ProcessLimits, run
from tests.hostile.materials import HostileFile, Materials
from tests.hostile.playlists import playlists
from tests.hostile.references import references
from tests.hostile.tripwires import Tripwires
from tests.support.e2e.requirements import needs
from tests.support.unsandboxed import run_unsandboxed

FILES = [*playlists(), *references()]
LIMITS = ProcessLimits(seconds=3, memory=2 * 1024**3)  # a live playlist would never end
EVERY_PROTOCOL = "file,http,https,tcp,tls,udp,rtp,crypto,data,concat,subfile,async,cache"


def without_allowlists(command: Sequence[str]) -> list[str]:
    """Allow every format, and more protocols than ffmpeg by default allows a local file."""
    changed = list(command)
    formats = changed.index("-format_whitelist")
    del changed[formats : formats + 2]
    changed[changed.index("-protocol_whitelist") + 1] = EVERY_PROTOCOL
    return changed


def probe(
    materials: Materials, tripwires: Tripwires, hostile: HostileFile, *, allowlist: bool, sandbox: bool
) -> list[str]:
    """Return the tripwires that ffmpeg triggered on the file, with the given layers."""
    path = materials.folder / "hostile.mp4"
    path.write_bytes(hostile.make(materials))
    tripwires.triggered()
    command = first_frame_command(materials.ffmpeg, path, MediaLimits())
    command = command if allowlist else without_allowlists(command)
    if sandbox:
        with suppress(MediaRefused):  # too slow
            run(command, limits=LIMITS, reads=[path])
    else:
        run_unsandboxed(command, LIMITS)
    return tripwires.triggered()


@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_the_allowlist_alone_is_enough(
    materials: Materials, tripwires: Tripwires, hostile: HostileFile
) -> None:
    assert probe(materials, tripwires, hostile, allowlist=True, sandbox=False) == []


@needs("landlock")
@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_the_sandbox_alone_is_enough(
    materials: Materials, tripwires: Tripwires, hostile: HostileFile
) -> None:
    assert probe(materials, tripwires, hostile, allowlist=False, sandbox=True) == []


@pytest.mark.parametrize("name", ["DASH to a path", "DASH to a file URL", "DASH to an address"])
def test_without_both_layers_files_are_read_and_addresses_are_called(
    materials: Materials, tripwires: Tripwires, name: str
) -> None:
    """A control: without it, the tests above would prove nothing. ffmpeg 5.1 follows 14 of these files."""
    (hostile,) = (file for file in FILES if file.name == name)
    triggered = probe(materials, tripwires, hostile, allowlist=False, sandbox=False)
    assert triggered == [materials.address if name == "DASH to an address" else materials.video.name]
