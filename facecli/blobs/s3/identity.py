"""The id of a prefix in a bucket, stored in an object below it and in the database that belongs to it."""

import uuid
from collections.abc import Callable
from contextlib import closing

from facecli.blobs.s3.bucket import Bucket
from facecli.core.errors import InvalidInput, PolicyRefused, StorageFailed

ID = "facecli.id"
PROBE = "facecli.probe"
MAX_ID = 64  # bytes


def name_bucket(bucket: Bucket, *, known: Callable[[str], bool], remember: Callable[[str], None]) -> None:
    """Give a new prefix an id that the database knows, and check one that has an id.

    PolicyRefused for the files of another database, BucketUnusable or StorageFailed without access.
    """
    bucket.put(PROBE, b"written at the start of a server\n")
    if not bucket_id(bucket):
        if any(True for prefix in ("uploads/", "outputs/") for _ in bucket.objects(prefix)):
            raise PolicyRefused(
                f"{bucket.location} holds files, but no {ID}; restore that object, or choose another prefix"
            )
        new = f"s3-{uuid.uuid4().hex[:16]}"
        remember(new)  # first: an id that only the database has is harmless
        bucket.put(ID, f"{new}\n".encode())
    check_bucket(bucket, known=known)


def check_bucket(bucket: Bucket, *, known: Callable[[str], bool]) -> None:
    """Raise PolicyRefused when the database belongs to another prefix, InvalidInput for one without id.

    A server deletes files that no row refers to. With the wrong database that would be all of them.
    """
    found = bucket_id(bucket)
    if not found:
        raise InvalidInput(f"no server has used {bucket.location} yet; start facecli serve on it first")
    if not known(found):
        raise PolicyRefused(
            f"this database does not know {bucket.location} and its files; pass the --blobs and --database "
            "that belong together"
        )


class BucketProbe:
    """Looks at a bucket while a server runs."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def check(self) -> None:
        """StorageFailed while the bucket cannot be reached, or has lost its id."""
        try:
            self._bucket.head(ID)
        except FileNotFoundError as error:
            raise StorageFailed(
                f"{ID} is gone from {self._bucket.location}; is that still its bucket?"
            ) from error


def bucket_id(bucket: Bucket) -> str:
    """The id; empty if there is none yet."""
    try:
        with closing(bucket.get(ID, offset=0, block=MAX_ID)) as blocks:
            return next(blocks, b"").decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
