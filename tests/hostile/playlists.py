"""Playlists under the names of videos: texts that make a player read other files."""

import struct
from collections.abc import Callable, Iterator
from functools import partial

from tests.hostile.containers import riff_chunk
from tests.hostile.materials import HostileFile, Materials, accepted, refused

NOT_A_VIDEO = "is not an MP4, MOV, MKV, WebM, AVI or MPEG-TS video"

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:1,\n{target}\n"
KEYED = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:1,\n{target}\n'
MAPPED = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="{target}"\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n'
MASTER = (
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="{target}"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"\n{target}\n'
)
DASH = (
    '<?xml version="1.0"?>{doctype}<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1" width="160" '
    'height="120"><BaseURL>{base}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)
CONCAT = "ffconcat version 1.0\nfile {target}\n"
SDP = (
    "v=0\no=- 0 0 IN IP4 {host}\ns=x\nc=IN IP4 {host}\nt=0 0\n"
    "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n[Events]\nFormat: Start, End, Text\n"
    "Dialogue: 0:00:00.00,0:00:09.00,{target}\n"
)
SMIL = '<smil><body><video src="{target}"/></body></smil>'
AVISYNTH = 'DirectShowSource("{target}")\n'

TARGETS: dict[str, Callable[[Materials], str]] = {
    "a sibling": lambda materials: materials.video.name,
    "a path": lambda materials: str(materials.video),
    "a file URL": lambda materials: f"file:{materials.video}",
    "an address": lambda materials: f"http://{materials.address}/x.mp4",
    "a text": lambda materials: str(materials.text),
    "another's upload": lambda materials: str(materials.upload),
}


def playlists() -> Iterator[HostileFile]:
    for title, target in TARGETS.items():
        for kind, text in {"HLS": HLS, "ffconcat": CONCAT}.items():
            yield _text(f"{kind} to {title}", partial(_pointing, text, target))
        yield _text(f"DASH to {title}", partial(_dash, target))
    for kind, text in {
        "live HLS without an end": LIVE,
        "HLS with a key": KEYED,
        "HLS with a map": MAPPED,
        "HLS with subtitles": MASTER,
        "ASS": ASS,
        "SMIL": SMIL,
        "Avisynth": AVISYNTH,
    }.items():
        yield _text(kind, partial(_pointing, text, TARGETS["an address"]))
    for protocol in (
        "concat:{path}|{path}",
        "subfile,,start,0,end,0,,:{path}",
        "crypto:{path}",
        "async:{path}",
    ):
        yield _text(f"HLS through {protocol.split(':')[0][:7]}", partial(_through, protocol))
    yield _text(
        "HLS behind a mark", lambda materials: "\ufeff" + _pointing(HLS, TARGETS["a path"], materials)
    )
    yield _text("ffconcat without a header", lambda materials: f"file '{materials.video}'\n")
    yield _text("DASH with an entity of a file", _entity)
    yield _text("SDP", _sdp)
    yield _text("a text for a terminal", lambda materials: "\x1b[2J\x1b[31mread me\n" * 40)
    yield accepted("AVI with a playlist for subtitles", _gab2)
    yield refused("a playlist in front of an MP4", _polyglot, NOT_A_VIDEO)


def _text(name: str, text: Callable[[Materials], str]) -> HostileFile:
    return refused(name, lambda materials: text(materials).encode(), NOT_A_VIDEO)


def _pointing(text: str, target: Callable[[Materials], str], materials: Materials) -> str:
    return text.format(target=target(materials))


def _dash(target: Callable[[Materials], str], materials: Materials) -> str:
    return DASH.format(doctype="", base=target(materials))


def _through(protocol: str, materials: Materials) -> str:
    return HLS.format(target=f"{protocol}:{materials.video}")


def _entity(materials: Materials) -> str:
    doctype = f'<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{materials.text}">]>'
    return DASH.format(doctype=doctype, base="&x;")


def _sdp(materials: Materials) -> str:
    host, port = materials.address.split(":")
    return SDP.format(host=host, port=port)


def _polyglot(materials: Materials) -> bytes:
    return HLS.format(target=materials.video).encode() + materials.clip


def _gab2(materials: Materials) -> bytes:
    """Return an AVI whose subtitles are a playlist: ffmpeg opens a second demuxer for them.

    https://www.blackhat.com/docs/us-16/materials/us-16-Ermishkin-Viral-Video-Exploiting-Ssrf-In-Video-Converters.pdf
    """
    avi = materials.reencode("plain.avi", "-an", "-c:v", "mjpeg")
    playlist = HLS.format(target=f"http://{materials.address}/x.ts").encode()
    gab2 = b"GAB2\0" + struct.pack("<HIHI", 2, 0, 4, len(playlist)) + playlist
    header = b"txts" + bytes(16) + struct.pack("<II", 1, 1) + bytes(28)
    subtitles = riff_chunk("LIST", b"strl", riff_chunk("strh", header), riff_chunk("strf"))
    heads, movi = _list(avi, b"hdrl"), _list(avi, b"movi")
    frames = b"movi" + riff_chunk("01tx", gab2) + movi[4:]
    return riff_chunk("RIFF", b"AVI ", riff_chunk("LIST", heads + subtitles), riff_chunk("LIST", frames))


def _list(avi: bytes, kind: bytes) -> bytes:
    begin = avi.index(b"LIST", avi.index(kind) - 8)
    size = struct.unpack_from("<I", avi, begin + 4)[0]
    return avi[begin + 8 : begin + 8 + size]
