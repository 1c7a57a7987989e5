"""The contract suite of engines: tests that every engine has to pass.

The assertions are plain, with messages, and nothing imports pytest; pytest collects a subclass whose name
begins with `Test`, and passes `tmp_path`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from facecli.core.errors import Cancelled, InvalidInput
from facecli.core.video.engines import Engine, SwapJob
from facecli.core.video.media import Media
from facecli.testing.fake_media import FakeMedia


class EngineContract:
    """Subclass it, and implement `make_engine`.

    An engine that decodes frames by itself needs real ones: let `make_media` return `ffmpeg_media()`.
    """

    options: ClassVar[Mapping[str, str]] = {}  # valid options, to swap with
    clip_seconds: ClassVar[int] = 1

    def make_engine(self, media: Media) -> Engine:
        raise NotImplementedError("a subclass returns the engine under test")

    def make_media(self) -> Media:
        return FakeMedia()

    def test_it_has_a_name_a_version_and_needs(self) -> None:
        engine = self.make_engine(self.make_media())
        assert engine.name, "the engine has no name"
        assert engine.version, "the engine has no version"
        assert not isinstance(engine.needs, str), "needs is a sequence of strings, not a string"
        assert all(isinstance(need, str) for need in engine.needs), "needs is a sequence of strings"

    def test_it_accepts_valid_options(self) -> None:
        self.make_engine(self.make_media()).check(self.options)

    def test_it_refuses_an_unknown_option(self) -> None:
        engine = self.make_engine(self.make_media())
        unknown = {**self.options, "no-engine-has-this-option": "1"}
        assert raises(InvalidInput, lambda: engine.check(unknown)), "check accepts an option that is unknown"

    def test_it_writes_every_frame_of_every_segment(self, tmp_path: Path) -> None:
        media = self.make_media()
        engine = self.make_engine(media)
        for job in self.make_jobs(media, tmp_path):
            engine.swap(job, progress=lambda frames: None, stopped=lambda: False)
            frames = media.count_frames(job.output)
            assert frames == job.segment.frames, f"{frames} frames written, expected {job.segment.frames}"

    def test_progress_rises_to_the_frames_of_the_segment(self, tmp_path: Path) -> None:
        media = self.make_media()
        engine = self.make_engine(media)
        for job in self.make_jobs(media, tmp_path):
            reported: list[int] = []
            engine.swap(job, progress=reported.append, stopped=lambda: False)
            assert reported == sorted(reported), "progress fell"
            assert reported[-1] == job.segment.frames, "progress did not end with the segment's frames"

    def test_it_stops_on_request(self, tmp_path: Path) -> None:
        media = self.make_media()
        engine = self.make_engine(media)
        job = self.make_jobs(media, tmp_path)[0]

        def swap() -> None:
            engine.swap(job, progress=lambda frames: None, stopped=lambda: True)

        assert raises(Cancelled, swap), "the engine goes on after `stopped` returned True"

    def test_it_writes_only_into_the_directory_of_the_output(self, tmp_path: Path) -> None:
        media = self.make_media()
        engine = self.make_engine(media)
        job = self.make_jobs(media, tmp_path)[0]
        inputs = job.video.parent
        before = {path: path.read_bytes() for path in inputs.iterdir()}
        engine.swap(job, progress=lambda frames: None, stopped=lambda: False)
        after = {path: path.read_bytes() for path in inputs.iterdir()}
        assert after == before, "the engine changed the directory of its inputs"

    def make_jobs(self, media: Media, folder: Path) -> list[SwapJob]:
        """Return a job for each segment of a generated clip, with a directory of its own for each output."""
        inputs = folder / "inputs"
        inputs.mkdir()
        face, video = inputs / "face.png", inputs / "clip.mp4"
        media.make_face(face)
        media.make_clip(video, seconds=self.clip_seconds, width=320, height=180)
        plan, jobs = media.plan(video), []
        for segment in plan.segments:
            output = folder / f"work-{segment.index}" / "out.mp4"
            output.parent.mkdir()
            jobs.append(
                SwapJob(
                    face=face,
                    video=video,
                    segment=segment,
                    output=output,
                    info=plan.info,
                    options=self.options,
                )
            )
        return jobs


def raises(kind: type[Exception], action: Callable[[], None]) -> bool:
    """Return whether the action raises an exception of this kind; any other one passes through."""
    try:
        action()
    except kind:
        return True
    return False
