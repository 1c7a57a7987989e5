"""The built-in engine passes the contract suite that plug-ins run, on the media fake and on ffmpeg."""

import os

from facecli.core.video.media import Media
from facecli.engines.mock import MockEngine
from facecli.testing import EngineContract, ffmpeg_media


class TestMockEngine(EngineContract):
    options = {"seed": "7"}  # noqa: RUF012

    def make_engine(self, media: Media) -> MockEngine:
        return MockEngine(media)


class TestMockEngineWithFfmpeg(TestMockEngine):
    def make_media(self) -> Media:
        return ffmpeg_media(ffmpeg=os.environ.get("TEST_FFMPEG"), segment_megapixels=3)
