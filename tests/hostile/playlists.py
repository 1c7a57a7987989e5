"""Texts that make a player read other files, named as if they were videos."""

import struct
from collections.abc import Callable, Iterator
from functools import partial

from tests.hostile.containers import riff
from tests.hostile.materials import Hostile, Site, refused, taken

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

TARGETS: dict[str, Callable[[Site], str]] = {
    "a sibling": lambda site: site.video.name,
    "a path": lambda site: str(site.video),
    "a file URL": lambda site: f"file:{site.video}",
    "an address": lambda site: f"http://{site.address}/x.mp4",
    "a text": lambda site: str(site.text),
    "another's upload": lambda site: str(site.upload),
}


def playlists() -> Iterator[Hostile]:
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
    yield _text("HLS behind a mark", lambda site: "\ufeff" + _pointing(HLS, TARGETS["a path"], site))
    yield _text("ffconcat without a header", lambda site: f"file '{site.video}'\n")
    yield _text("DASH with an entity of a file", _entity)
    yield _text("SDP", _sdp)
    yield _text("a text for a terminal", lambda site: "\x1b[2J\x1b[31mread me\n" * 40)
    yield taken("AVI with a playlist for subtitles", _gab2)
    yield refused("a playlist in front of an MP4", _polyglot, NOT_A_VIDEO)


def _text(name: str, text: Callable[[Site], str]) -> Hostile:
    return refused(name, lambda site: text(site).encode(), NOT_A_VIDEO)


def _pointing(text: str, target: Callable[[Site], str], site: Site) -> str:
    return text.format(target=target(site))


def _dash(target: Callable[[Site], str], site: Site) -> str:
    return DASH.format(doctype="", base=target(site))


def _through(protocol: str, site: Site) -> str:
    return HLS.format(target=f"{protocol}:{site.video}")


def _entity(site: Site) -> str:
    doctype = f'<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{site.text}">]>'
    return DASH.format(doctype=doctype, base="&x;")


def _sdp(site: Site) -> str:
    host, port = site.address.split(":")
    return SDP.format(host=host, port=port)


def _polyglot(site: Site) -> bytes:
    return HLS.format(target=site.video).encode() + site.clip


def _gab2(site: Site) -> bytes:
    """An AVI whose subtitles are a playlist: ffmpeg opens a second demuxer for them.

    https://www.blackhat.com/docs/us-16/materials/us-16-Ermishkin-Viral-Video-Exploiting-Ssrf-In-Video-Converters.pdf
    """
    avi = site.remade("plain.avi", "-an", "-c:v", "mjpeg")
    playlist = HLS.format(target=f"http://{site.address}/x.ts").encode()
    gab2 = b"GAB2\0" + struct.pack("<HIHI", 2, 0, 4, len(playlist)) + playlist
    header = b"txts" + bytes(16) + struct.pack("<II", 1, 1) + bytes(28)
    subtitles = riff("LIST", b"strl", riff("strh", header), riff("strf"))
    heads, movi = _list(avi, b"hdrl"), _list(avi, b"movi")
    frames = b"movi" + riff("01tx", gab2) + movi[4:]
    return riff("RIFF", b"AVI ", riff("LIST", heads + subtitles), riff("LIST", frames))


def _list(avi: bytes, kind: bytes) -> bytes:
    begin = avi.index(b"LIST", avi.index(kind) - 8)
    size = struct.unpack_from("<I", avi, begin + 4)[0]
    return avi[begin + 8 : begin + 8 + size]
