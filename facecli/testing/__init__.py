"""Helpers for the tests of engine plug-ins: a contract suite, a media fake, and the real media.

    from facecli.testing import EngineContract

    class TestMyEngine(EngineContract):
        def make_engine(self, media):
            return MyEngine(media)

pytest then runs the whole suite on the engine. Nothing here needs a server.
"""

from facecli.testing.engine_contract import EngineContract
from facecli.testing.fake_media import FakeMedia
from facecli.testing.real_media import ffmpeg_media

__all__ = ["EngineContract", "FakeMedia", "ffmpeg_media"]
