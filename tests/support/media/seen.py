"""A video as plain ffmpeg sees it: the times of frames, and each sound track on the clock of the picture."""

import re
import subprocess
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from tests.support.media.ffmpegs import ffmpeg, newest

RATE = 8000  # samples per second at which sound is compared
LOUD = 0.4  # of the loudest sample; the noise of codecs is far below


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSound:
    """Seconds after the first frame at which the first loud sample is due, and of the whole track."""

    onset: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    times: list[Fraction]  # of the frames, after the first one's
    end: Fraction  # of the last packet of the picture, after the first frame
    size: tuple[int, int]
    interlaced: bool
    sounds: list[SeenSound]  # of the tracks that can be decoded
    languages: list[str]  # of these

    @property
    def frames(self) -> int:
        return len(self.times)


def look_at(path: Path) -> Seen:
    """Decode a video with the newest ffmpeg, as leniently as it does by default; once for each file."""
    state = path.stat()
    return _look_at(path, state.st_mtime_ns, state.st_size)


@cache
def _look_at(path: Path, _changed: int, _size: int) -> Seen:
    decoded, packets = path.with_name(f"{path.name}.frames"), path.with_name(f"{path.name}.packets")
    picture = ("-map", "0:V:0")
    log = ffmpeg_log(
        *("-copyts", "-i", path),
        *(*picture, "-fps_mode", "passthrough", "-enc_time_base", "1:1000000"),
        *("-f", "framecrc", "-pix_fmt", "yuv420p", decoded),
        *(*picture, "-c", "copy", "-f", "framecrc", packets),
        *(*picture, "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"),
        check=True,
    )
    start, times = _listed(decoded.read_text())
    size = re.search(r" s:(\d+)x(\d+) i:", log)
    assert size
    field = re.search(r" i:([PTB])", log)
    assert field
    sounds, languages = _sounds(path, start, log.partition("\nStream mapping:")[0])
    return Seen(
        times=[time - start for time in times],
        end=_end(packets.read_text()) - start,
        size=(int(size[1]), int(size[2])),
        interlaced=field[1] != "P",
        sounds=sounds,
        languages=languages,
    )


def ffmpeg_log(*arguments: object, check: bool = False) -> str:
    """Return what ffmpeg logs; stdout stays empty."""
    command = [str(newest()), "-nostdin", "-hide_banner", "-v", "info", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=check).stderr.decode(errors="replace")


def _listed(listing: str) -> tuple[Fraction, list[Fraction]]:
    """Return the first time and all times of a listing of decoded frames."""
    lines = listing.splitlines()
    tick = next(Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0"))
    times = [int(line.split(",")[2]) * tick for line in lines if line[:1].isdigit()]
    return times[0], times


def _end(listing: str) -> Fraction:
    """Return the end of the last packet."""
    lines = listing.splitlines()
    tick = next(Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0"))
    fields = [line.split(",") for line in lines if line[:1].isdigit()]
    times = [int(pts) if int(pts) > -(2**62) else int(dts) for _, dts, pts, *_ in fields]
    return max(time + int(field[3]) for time, field in zip(times, fields, strict=True)) * tick


def _sounds(path: Path, start: Fraction, log: str) -> tuple[list[SeenSound], list[str]]:
    """Decode every sound track of the log alone; a track that cannot be decoded is not seen."""
    sounds, languages = [], []
    tracks = re.findall(r"^ +Stream #0:(\d+)(?:\[\w+\])?(?:\(([^)]*)\))?: Audio:", log, re.MULTILINE)
    for stream, language in tracks:
        found = _sound(path, stream, start)
        if found:
            sounds.append(found)
            languages.append(language)
    return sounds, languages


def _sound(path: Path, stream: str, start: Fraction) -> SeenSound | None:
    raw = path.with_name(f"{path.name}.{stream}.raw")
    options = ("-map", f"0:{stream}", "-ac", "1", "-ar", RATE)
    try:
        listing = ffmpeg(
            "-copyts",
            "-i",
            path,
            *options,
            "-c:a",
            "pcm_s16le",
            "-f",
            "framecrc",
            "-",
            *options,
            "-f",
            "s16le",
            raw,
            level="fatal",
        )
        samples = array("h", raw.read_bytes())
    except subprocess.CalledProcessError:
        return None
    if not samples:
        return None
    limit = max(map(abs, samples)) * LOUD
    loud = next(at for at, sample in enumerate(samples) if abs(sample) >= limit)
    return SeenSound(onset=float(_due(listing, loud) - start), seconds=len(samples) / RATE)


def _due(listing: bytes, sample: int) -> Fraction:
    """Return the time of a sample from a listing of decoded sound, which may have gaps."""
    lines = listing.decode().splitlines()
    tick = next(Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0"))
    passed, time = 0, Fraction(0)
    for _, _, pts, length, *_ in (line.split(",") for line in lines if line[:1].isdigit()):
        time = int(pts) * tick + Fraction(sample - passed, RATE)
        passed += int(length)
        if passed > sample:
            break
    return time
