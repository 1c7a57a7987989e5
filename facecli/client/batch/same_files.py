"""Files with the same bytes, so that each is uploaded once whatever its names."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from facecli.client.source import Source
from facecli.core.errors import FacecliError


def first_of_same(files: Iterable[Path]) -> dict[Path, Path]:
    """Each readable file with the first of the files that have its bytes.

    Only files of one size and fingerprint are read whole, for their SHA-256.
    """
    sizes = defaultdict[int, list[Path]](list)
    same = dict[Path, Path]()
    inodes = dict[tuple[int, int], Path]()
    for file in dict.fromkeys(files):
        try:
            found = file.stat()
        except OSError:
            continue
        same[file] = inodes.setdefault((found.st_dev, found.st_ino), file)
        if same[file] is file:
            sizes[found.st_size].append(file)
    equal = dict[Path, Path]()
    for alike in sizes.values():
        equal |= _compared(alike) if len(alike) > 1 else {}
    return {file: equal.get(first, first) for file, first in same.items()}


def _compared(files: Iterable[Path]) -> dict[Path, Path]:
    by_fingerprint = defaultdict[int, list[Path]](list)
    for file in files:
        with suppress(FacecliError):  # which is reported when the file is sent
            source = Source(file)
            try:
                by_fingerprint[source.fingerprint()].append(file)
            finally:
                source.close()
    equal, by_digest = dict[Path, Path](), dict[bytes, Path]()
    for alike in by_fingerprint.values():
        for file in alike if len(alike) > 1 else ():
            equal[file] = by_digest.setdefault(_sha256(file), file)
    return equal


def _sha256(file: Path) -> bytes:
    """The digest; a file that cannot be read equals only itself."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:
        return os.fsencode(file)
