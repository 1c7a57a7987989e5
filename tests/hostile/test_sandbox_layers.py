"""Two walls keep a media file from what is not its own, and each of them alone would do."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.media import MediaLimits
from facecli.media import commands
from facecli.media.run import Bounds, run
from tests.hostile.materials import Hostile, Site
from tests.hostile.playlists import playlists
from tests.hostile.references import references
from tests.hostile.tripwires import Traps
from tests.support.e2e.requirements import needs
from tests.support.unsandboxed import run_unwalled

FILES = [*playlists(), *references()]
BOUNDS = Bounds(seconds=3, memory=2 * 1024**3)  # a live playlist would go on for ever
EVERY_PROTOCOL = "file,http,https,tcp,tls,udp,rtp,crypto,data,concat,subfile,async,cache"


def without_lists(command: Sequence[str]) -> list[str]:
    """Every format, and more protocols than ffmpeg allows a local file of its own accord."""
    kept = list(command)
    formats = kept.index("-format_whitelist")
    del kept[formats : formats + 2]
    kept[kept.index("-protocol_whitelist") + 1] = EVERY_PROTOCOL
    return kept


def probed(site: Site, traps: Traps, hostile: Hostile, *, listed: bool, hardened_input: bool) -> list[str]:
    """What the file made ffmpeg open and call, with the wall of lists, or of the kernel, or both, or none."""
    path = site.folder / "hostile.mp4"
    path.write_bytes(hostile.make(site))
    traps.sprung()
    command = commands.first_frame(site.ffmpeg, path, MediaLimits())
    command = command if listed else without_lists(command)
    if hardened_input:
        with suppress(MediaRefused):  # too slow
            run(command, bounds=BOUNDS, reads=[path])
    else:
        run_unwalled(command, BOUNDS)
    return traps.sprung()


@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_the_list_of_formats_alone_is_enough(site: Site, traps: Traps, hostile: Hostile) -> None:
    assert probed(site, traps, hostile, listed=True, hardened_input=False) == []


@needs("landlock")
@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_the_kernel_alone_is_enough(site: Site, traps: Traps, hostile: Hostile) -> None:
    assert probed(site, traps, hostile, listed=False, hardened_input=True) == []


@pytest.mark.parametrize("name", ["DASH to a path", "DASH to a file URL", "DASH to an address"])
def test_without_both_walls_files_are_read_and_addresses_are_called(
    site: Site, traps: Traps, name: str
) -> None:
    """Or the tests above would show nothing. ffmpeg 5.1 falls for HLS too, in all for 14 of these files."""
    (hostile,) = (each for each in FILES if each.name == name)
    sprung = probed(site, traps, hostile, listed=False, hardened_input=False)
    assert sprung == [site.address if name == "DASH to an address" else site.video.name]
