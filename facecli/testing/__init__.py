"""Helpers for tests: a contract suite for engines, a media fake, the real media, and a real server.

    from facecli.testing import EngineContract

    class TestMyEngine(EngineContract):
        def make_engine(self, media):
            return MyEngine(media)

pytest then runs the whole suite on the engine. For tests of programs that use facecli:

    with facecli.testing.server() as server, server.connect() as client:
        ...
"""

from facecli.testing.engine_contract import EngineContract
from facecli.testing.fake_media import FakeMedia
from facecli.testing.real_media import ffmpeg_media
from facecli.testing.server import TestServer, server

__all__ = ["EngineContract", "FakeMedia", "TestServer", "ffmpeg_media", "server"]
