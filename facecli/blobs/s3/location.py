"""The location of blobs in S3: `s3://bucket/prefix`."""

import re
from dataclasses import dataclass

from facecli.core.errors import InvalidInput

SCHEME = "s3://"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9._/-]{0,512}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """A bucket, and the prefix of all keys in it: empty, or with a slash at its end."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    @classmethod
    def parse(cls, text: str) -> "S3Location":
        """InvalidInput for anything but `s3://bucket` or `s3://bucket/prefix`."""
        if "@" in text:
            raise InvalidInput(
                "--blobs takes no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE"
            )
        bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
        prefix = prefix.strip("/")
        if not text.startswith(SCHEME) or not _BUCKET.fullmatch(bucket):
            raise InvalidInput(f"{text!r} names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX")
        if not _PREFIX.fullmatch(prefix) or {"", ".", ".."} & set(prefix.split("/") if prefix else ()):
            raise InvalidInput(f"{text!r} has an unusable prefix; use letters, digits, '-', '_', '.' and '/'")
        return cls(bucket=bucket, prefix=f"{prefix}/" if prefix else "")
