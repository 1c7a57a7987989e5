"""What the end of a file's name says about its content."""

from facecli.core.errors import MediaRefused

# As `VideoInfo.container` and `ImageInfo.format` call them.
_ENDINGS = {
    "MP4": "mp4 m4v mov qt 3gp 3g2",
    "Matroska": "mkv webm",
    "AVI": "avi",
    "MPEG-TS": "ts mts m2ts",
    "JPEG": "jpg jpeg jpe jfif",
    "PNG": "png",
    "WEBP": "webp",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


def check_name(name: str, kind: str) -> None:
    """MediaRefused when the name promises another kind of file. MP4 and MOV are one, MKV and WebM too.

    A name with no ending, or one that is unknown, promises nothing.
    """
    promised = _KINDS.get(name.rpartition(".")[2].lower(), kind)
    if promised != kind:
        ending = _ENDINGS[kind].split()[0]
        raise MediaRefused(
            f"{name} is not what its name says: it is a {kind} file; upload it under a name with .{ending}"
        )
