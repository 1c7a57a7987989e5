"""Probes of new tasks: shared, remembered, limited in time, and stopped when nobody waits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.checksums import crc32c_of
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import BytesDiffer, Cancelled, MediaRefused, NoFace, TooManyCalls, Unavailable
from facecli.core.video.plan import VideoInfo
from facecli.tasks.inputs.probes import MAX_PROBES, FaceCheck, Probes
from facecli.uploads.upload import FileType, Upload
from tests.support.eventually import eventually
from tests.support.storage import Clock
from tests.unit.tasks.inputs.conftest import CONTENT, LARGE, TIMEOUT, HeldMedia, Make


def active() -> bool:
    return True


def families(
    probes: Probes, uploads: list[Upload], *, face: FaceCheck | None = None, active: Callable[[], bool]
) -> list[str]:
    infos = probes.infos(uploads, face=face, active=active)
    return [info.container if isinstance(info, VideoInfo) else info.format for info in infos]


def test_a_second_task_needs_no_second_probe(probes: Probes, media: HeldMedia, stored: Make) -> None:
    clip, face = stored("clip"), stored("face", file_type=FileType.IMAGE)
    assert families(probes, [face, clip], active=active) == ["PNG", "MP4"]
    assert families(probes, [face, clip], active=active) == ["PNG", "MP4"]
    assert sorted(media.started) == ["clip", "face"]


def test_a_face_is_checked_once_for_each_engine_and_never_in_a_video(
    probes: Probes, media: HeldMedia, stored: Make
) -> None:
    files, checked = [stored("face", file_type=FileType.IMAGE), stored("clip")], list[str]()

    def check(engine: str) -> FaceCheck:
        return FaceCheck(engine=engine, run=lambda path, stopped: checked.append(engine))

    first, second = check("mesh 1"), check("mesh 2")
    for face in (first, first, None, second):
        assert families(probes, files, face=face, active=active) == ["PNG", "MP4"]
    assert checked == ["mesh 1", "mesh 2"]


def test_a_picture_without_a_face_is_refused_each_time(probes: Probes, stored: Make) -> None:
    def refuse(path: Path, stopped: Callable[[], bool]) -> None:
        raise NoFace

    face = stored("face", file_type=FileType.IMAGE)
    for _ in range(2):
        with pytest.raises(NoFace):
            families(probes, [face], face=FaceCheck(engine="mesh 1", run=refuse), active=active)
    assert families(probes, [face], active=active) == ["PNG"]


def test_calls_at_the_same_time_share_a_probe(probes: Probes, media: HeldMedia, stored: Make) -> None:
    clip, media.held = stored("clip"), {"clip"}
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(families, probes, [clip], active=active) for _ in range(5)]
        eventually(lambda: media.started == ["clip"])
        media.release.set()
        assert [call.result() for call in calls] == [["MP4"]] * 5
    assert media.started == ["clip"]


def test_picture_and_video_are_probed_at_the_same_time(
    probes: Probes, media: HeldMedia, stored: Make
) -> None:
    files, media.held = [stored("face", file_type=FileType.IMAGE), stored("clip")], {"face", "clip"}
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(families, probes, files, active=active)
        eventually(lambda: sorted(media.started) == ["clip", "face"])
        media.release.set()
        assert call.result() == ["PNG", "MP4"]


def test_slow_files_of_one_user_do_not_delay_another(probes: Probes, media: HeldMedia, stored: Make) -> None:
    slow = [stored(f"slow{number}") for number in range(2 * MAX_PROBES)]
    media.held = {upload.id for upload in slow}
    with ThreadPoolExecutor(len(slow)) as pool:
        calls = [pool.submit(families, probes, [upload], active=active) for upload in slow]
        eventually(lambda: len(media.started) == MAX_PROBES // 2)
        assert families(probes, [stored("quick", owner="bob")], active=active) == ["MP4"]
        media.release.set()
        assert [call.result() for call in calls] == [["MP4"]] * len(slow)


def test_a_probe_ends_when_its_caller_is_gone(probes: Probes, media: HeldMedia, stored: Make) -> None:
    clip, media.held = stored("clip"), {"clip"}
    with pytest.raises(Cancelled):
        families(probes, [clip], active=lambda: not media.started)
    eventually(lambda: media.stopped == ["clip"])
    media.held.clear()
    assert families(probes, [clip], active=active) == ["MP4"]


def test_a_call_does_not_join_a_probe_that_is_being_stopped(
    probes: Probes, media: HeldMedia, stored: Make
) -> None:
    clip, media.held = stored("clip"), {"clip"}
    media.may_stop.clear()
    with pytest.raises(Cancelled):
        families(probes, [clip], active=lambda: not media.started)
    eventually(lambda: media.stopped == ["clip"])
    media.held.clear()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(families, probes, [clip], active=active)
        eventually(lambda: media.started == ["clip", "clip"])
        media.may_stop.set()
        assert call.result() == ["MP4"]


def late_call(media: HeldMedia, clock: Clock, slow: Upload) -> Callable[[], bool]:
    """An `active` that lets the time of a call pass once its probe runs."""

    late = clock.now + TIMEOUT + 1

    def active() -> bool:
        if slow.id in media.started:
            clock.now = late
        return True

    return active


def test_a_picture_that_takes_too_long_is_refused(
    probes: Probes, media: HeldMedia, clock: Clock, stored: Make
) -> None:
    face, media.held = stored("face", file_type=FileType.IMAGE), {"face"}

    def passes() -> bool:
        if media.started:
            clock.now += 0.95 * TIMEOUT  # more than a probe may take, less than a call
            eventually(lambda: media.stopped)
        return True

    with pytest.raises(MediaRefused, match=r"clip\.mp4 was not checked within 9 s, the probe_timeout"):
        families(probes, [face], active=passes)


def test_a_large_video_is_checked_on_and_found_by_the_next_call(
    probes: Probes, media: HeldMedia, clock: Clock, stored: Make
) -> None:
    clip, media.held = stored("clip", size=LARGE), {"clip"}
    with pytest.raises(Unavailable, match=r"clip\.mp4 is still being checked; try again in 5 s") as refused:
        families(probes, [clip], active=late_call(media, clock, clip))
    assert refused.value.details["retry_after"] == 5
    media.release.set()
    assert families(probes, [clip], active=active) == ["MP4"]
    assert media.started == ["clip"]
    assert media.stopped == []


def test_a_refusal_that_no_call_received_goes_to_the_next(
    probes: Probes, media: HeldMedia, clock: Clock, blobs: LocalBlobs, stored: Make
) -> None:
    clip = stored("clip", size=LARGE)
    with blobs.path(clip.blob_key).open("r+b") as file:
        file.truncate(LARGE)
        clip = replace(clip, crc32c=crc32c_of(file))
    media.held = media.refused = {"clip"}
    with pytest.raises(Unavailable):
        families(probes, [clip], active=late_call(media, clock, clip))
    media.release.set()
    with pytest.raises(MediaRefused, match="it is broken"):
        families(probes, [clip], active=active)
    assert media.started == ["clip"]


def test_a_call_that_waits_for_the_files_of_others_may_try_again(
    probes: Probes, media: HeldMedia, clock: Clock, stored: Make
) -> None:
    slow = [stored(f"slow{number}", size=LARGE) for number in range(MAX_PROBES // 2)]
    media.held = {upload.id for upload in slow}

    def passes() -> bool:
        clock.now += TIMEOUT
        return True

    with ThreadPoolExecutor(len(slow)) as pool:
        calls = [pool.submit(families, probes, [upload], active=active) for upload in slow]
        eventually(lambda: len(media.started) == len(slow))
        with pytest.raises(TooManyCalls) as busy:
            families(probes, [stored("next")], active=passes)
        assert busy.value.details["retry_after"] == 5
        media.release.set()
        for call in calls:
            call.exception()


def test_a_damaged_file_is_blamed_on_the_store(
    probes: Probes, media: HeldMedia, blobs: LocalBlobs, stored: Make
) -> None:
    clip, media.refused = stored("clip"), {"clip"}
    with pytest.raises(MediaRefused, match="it is broken"):
        families(probes, [clip], active=active)
    blobs.path(clip.blob_key).write_bytes(b"f" + CONTENT[1:][::-1])
    with pytest.raises(StoredBytesDamaged):
        families(probes, [clip], active=active)


def test_a_file_that_was_written_to_is_probed_again(
    probes: Probes, media: HeldMedia, blobs: LocalBlobs, stored: Make
) -> None:
    clip = stored("clip")
    families(probes, [clip], active=active)
    blobs.path(clip.blob_key).write_bytes(CONTENT)
    families(probes, [clip], active=active)
    assert media.started == ["clip", "clip"]


def test_a_file_that_was_deleted_is_missed(probes: Probes, blobs: LocalBlobs, stored: Make) -> None:
    clip = stored("clip")
    families(probes, [clip], active=active)
    blobs.path(clip.blob_key).unlink()
    with pytest.raises(BytesDiffer, match="gone from the server's disk"):
        families(probes, [clip], active=active)
