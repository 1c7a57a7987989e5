"""The blob store of the settings: a data directory, or a bucket of S3 that belongs to the database."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.blobs.file_cache import FileCache
from facecli.blobs.local.store import LocalBlobs
from facecli.blobs.lost_and_found import move_to_lost_and_found
from facecli.blobs.probe import DirectoryProbe
from facecli.blobs.s3.location import S3Location
from facecli.config.settings import Settings
from facecli.core.blobs import BlobStore
from facecli.core.errors import InvalidInput

if TYPE_CHECKING:
    from facecli.blobs.s3.store import S3Blobs

REQUESTS = 3  # of which the shortest time counts
CACHE = "cache"  # directory with the copies of blobs on this machine


def open_blob_store(settings: Settings, directory: Path) -> BlobStore:
    """The blob store of uploads and results; `directory` is the data directory of this machine.

    InvalidInput for an invalid location, or without boto3.
    """
    if not settings.blobs:
        return LocalBlobs(directory, durable=settings.durability == "power")
    location = S3Location.parse(settings.blobs)
    try:
        from facecli.blobs.s3.bucket import Bucket  # loads boto3
        from facecli.blobs.s3.clients import connect
        from facecli.blobs.s3.store import S3Blobs
    except ModuleNotFoundError as error:
        raise InvalidInput("--blobs s3://… needs the extra s3: pip install boto3") from error
    return S3Blobs(
        Bucket(location, connect(location.bucket)), FileCache(directory / CACHE, limit=settings.blob_cache)
    )


def name_store(blobs: BlobStore, *, known: Callable[[str], bool], remember: Callable[[str], None]) -> None:
    """Check that a bucket belongs to the database; give a new one an id. A data directory has its own.

    PolicyRefused for the files of another database, BucketUnusable or StorageFailed without access.
    """
    if bucket_store := _in_bucket(blobs):
        from facecli.blobs.s3.identity import name_bucket

        name_bucket(bucket_store.bucket, known=known, remember=remember)


def check_store(blobs: BlobStore, *, known: Callable[[str], bool]) -> None:
    """As `name_store`, for a bucket that a server has used: InvalidInput for another."""
    if bucket_store := _in_bucket(blobs):
        from facecli.blobs.s3.identity import check_bucket

        check_bucket(bucket_store.bucket, known=known)


def store_probes(blobs: BlobStore, directory: Path) -> list[Callable[[], None]]:
    """The checks of what a server stores data in."""
    probes = [DirectoryProbe(directory).check]
    if bucket_store := _in_bucket(blobs):
        from facecli.blobs.s3.identity import BucketProbe

        probes.append(BucketProbe(bucket_store.bucket).check)
    return probes


def rescue_blob(blobs: BlobStore, directory: Path, key: str) -> None:
    """Move a file that no row refers to into lost+found: of the bucket, or of the data directory."""
    if bucket_store := _in_bucket(blobs):
        bucket_store.rescue(key)
    else:
        move_to_lost_and_found(directory, key)


def bucket_summary(settings: Settings, directory: Path) -> tuple[str, float]:
    """The location and the server of the bucket, and the shortest of a few requests in seconds.

    StorageFailed if it cannot be reached.
    """
    bucket_store = _in_bucket(open_blob_store(settings, directory))
    assert bucket_store, "the settings name a bucket"
    from facecli.blobs.s3.identity import bucket_id

    bucket = bucket_store.bucket
    times = [time.perf_counter()]
    for _ in range(REQUESTS):
        used = bucket_id(bucket)
        times.append(time.perf_counter())
    state = "" if used else ", not used by a server yet"
    seconds = min(after - before for before, after in pairwise(times))
    return f"{bucket.location} at {bucket.endpoint}{state}", seconds


def _in_bucket(blobs: BlobStore) -> "S3Blobs | None":
    """The store if it is in a bucket, without loading boto3 if not."""
    if isinstance(blobs, LocalBlobs):
        return None
    from facecli.blobs.s3.store import S3Blobs

    return blobs if isinstance(blobs, S3Blobs) else None
