"""Spares: a process that is started ahead works once, for the next work like it, or is ended."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from facecli.core.errors import MediaRefused, Unavailable
from facecli.core.video.frames import Picture
from facecli.core.video.media import never
from facecli.engines.mesh.process.spare import Inputs, Launch, Spares
from facecli.testing.fake_media import FakeMedia
from tests.support.eventually import eventually

LAUNCH = Launch(command=("program",), reads=(), name="a process", max_unread=1)
GREY = Picture(width=1, height=1, pixels=bytes(3))


@dataclass
class Program:
    """A process that only notes its life."""

    stopped: Callable[[], bool]
    thread: threading.Thread
    ended: bool = False


@dataclass
class Programs(FakeMedia):
    """Starts them, from the `working`th on."""

    working: int = 0
    all: list[Program] = field(default_factory=list)

    @contextmanager
    def start(self, command: Any, *, stopped: Callable[[], bool], **rest: Any) -> Iterator[Any]:
        program = Program(stopped, threading.current_thread())
        self.all.append(program)
        if len(self.all) <= self.working:
            raise Unavailable("too many processes")
        try:
            yield program
        finally:
            program.ended = True


def test_a_process_that_was_started_ahead_works_for_the_next_work_alone() -> None:
    media = Programs()
    spares = Spares(media)
    spares.prepare(LAUNCH)
    spares.prepare(LAUNCH)
    cancelled = threading.Event()
    with spares.program(LAUNCH, stopped=cancelled.is_set) as first, spares.program(LAUNCH, stopped=never):
        ahead, fresh = media.all
        assert cast(Any, first) is ahead
        assert (ahead.ended, fresh.ended) == (False, False)
        assert not ahead.stopped()
        cancelled.set()
        assert ahead.stopped()
    assert ahead.ended
    assert fresh.ended


def test_a_process_goes_on_with_the_next_work_on_its_inputs_but_not_on_others(tmp_path: Path) -> None:
    face, other = tmp_path / "face", tmp_path / "other"
    for path in (face, other):
        path.write_bytes(b"a picture")
    mine = Inputs.of(face, tmp_path / "video", lambda path: GREY)
    media = Programs()
    spares = Spares(media)
    with spares.program(LAUNCH, stopped=never, inputs=mine, more=True):
        pass
    assert spares.inputs(face, tmp_path / "video") is mine
    assert spares.inputs(other, tmp_path / "video") is spares.inputs(face, tmp_path / "another") is None
    with spares.program(LAUNCH, stopped=never, inputs=mine, more=True) as again:
        assert cast(Any, again) is media.all[0]
    theirs = Inputs.of(other, tmp_path / "video", lambda path: GREY)
    with spares.program(LAUNCH, stopped=never, inputs=theirs, more=True) as program:
        assert cast(Any, program) is media.all[1]
    assert media.all[0].ended
    spares.prepare(LAUNCH)  # a new one, for anybody
    eventually(lambda: [program.ended for program in media.all] == [True, True, False])


def test_a_picture_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    face = tmp_path / "face"
    face.write_bytes(b"a picture")
    inputs = Inputs.of(face, tmp_path, lambda path: GREY)
    spares = Spares(Programs())
    with spares.program(LAUNCH, stopped=never, inputs=inputs, more=True):
        pass
    face.write_bytes(b"another one")
    assert spares.inputs(face, tmp_path) is None


def test_a_process_whose_work_failed_or_was_the_last_is_ended() -> None:
    media = Programs()
    spares = Spares(media)
    inputs = Inputs(face=Path("face"), version=(0, 0), video=Path("video"), picture=GREY)
    with suppress(MediaRefused), spares.program(LAUNCH, stopped=never, inputs=inputs, more=True):
        raise MediaRefused
    with spares.program(LAUNCH, stopped=never, inputs=inputs, more=False):
        pass
    assert [program.ended for program in media.all] == [True, True]


def test_a_process_outlives_the_thread_that_asked_for_it() -> None:
    media = Programs()
    spares = Spares(media)
    asking = threading.Thread(target=spares.prepare, args=(LAUNCH,))
    asking.start()
    asking.join()
    with spares.program(LAUNCH, stopped=never):
        assert media.all[0].thread.is_alive()


def test_work_of_another_kind_gets_a_process_of_its_own_and_ends_the_one_that_is_kept() -> None:
    media = Programs()
    spares = Spares(media)
    spares.prepare(LAUNCH)
    large = replace(LAUNCH, max_unread=2)
    with spares.program(large, stopped=never) as program:
        assert cast(Any, program) is media.all[1]
    spares.prepare(large)
    eventually(lambda: media.all[0].ended)
    spares.prepare(LAUNCH)
    eventually(lambda: [program.ended for program in media.all] == [True, True, True, False])


def test_a_process_that_nobody_takes_is_ended() -> None:
    media = Programs()
    Spares(media, idle_seconds=0.01).prepare(LAUNCH)
    eventually(lambda: [program.ended for program in media.all] == [True])


def test_a_process_that_cannot_be_started_ahead_is_started_when_it_is_needed() -> None:
    media = Programs(working=1)
    spares = Spares(media)
    spares.prepare(LAUNCH)
    with spares.program(LAUNCH, stopped=never) as program:
        assert cast(Any, program) is media.all[1]
