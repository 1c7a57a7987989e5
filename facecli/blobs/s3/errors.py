"""Translation of boto3's errors to ours, with the name of the bucket and the next step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from facecli.core.blobs import RETRY_AFTER
from facecli.core.errors import BucketUnusable, DiskFull, FacecliError, StorageFailed
from facecli.core.printable import bounded, escaped

MAX_TEXT = 200  # bytes of a server's own words in an error
GONE = frozenset(
    {"NoSuchKey", "NotFound", "404", "NoSuchUpload"}
)  # codes of an object or upload that is gone

_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_FORBIDDEN = frozenset({"403", "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden"})
_REGION = frozenset(
    {"301", "307", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_FULL = frozenset(
    {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
)


def error_code(error: ClientError) -> str:
    """The code in a server's response, such as NoSuchKey; its HTTP status if it has no other."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translate_s3_errors(bucket: str, endpoint: str, subject: str) -> Iterator[None]:
    """Raise ours for an error of boto3; FileNotFoundError when the object `subject` is gone."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in GONE:
            raise FileNotFoundError(subject) from error
        raise _refusal(bucket, endpoint, error) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise _failure(bucket, endpoint, error) from error


def _refusal(bucket: str, endpoint: str, error: ClientError) -> FacecliError:
    """The error for a response."""
    code, operation = error_code(error), error.operation_name
    if code == "NoSuchBucket":
        return BucketUnusable(f"there is no bucket {bucket} at {endpoint}; create it, or correct --blobs")
    if code in _CREDENTIALS:
        return BucketUnusable(
            f"bucket {bucket} refuses these credentials ({code}); check AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or the profile of AWS_PROFILE"
        )
    if code in _FORBIDDEN:
        return BucketUnusable(
            f"no permission for {operation} in bucket {bucket}; allow it in the policy of the bucket or user"
        )
    if code in _REGION:
        return BucketUnusable(
            f"bucket {bucket} is in another region ({_words(error)}); set AWS_REGION to its region"
        )
    if code == "RequestTimeTooSkewed":
        return BucketUnusable(
            f"the clock of this machine differs from that of bucket {bucket}; set the clock"
        )
    if code in _FULL:
        return DiskFull(
            f"bucket {bucket} is full ({code}); acknowledged bytes are safe", retry_after=RETRY_AFTER
        )
    return StorageFailed(f"{operation} in bucket {bucket} failed: {code}, {_words(error)}")


def _failure(bucket: str, endpoint: str, error: Exception) -> FacecliError:
    """The error for a request that was not sent, or not answered."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound():
            return BucketUnusable(
                f"no credentials for bucket {bucket} ({_words(error)}); set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        case NoRegionError():
            return BucketUnusable(f"the region of bucket {bucket} is unknown; set AWS_REGION")
        case EndpointConnectionError() | ConnectTimeoutError():
            return StorageFailed(
                f"bucket {bucket} cannot be reached at {endpoint}; check the network and AWS_ENDPOINT_URL"
            )
        case ReadTimeoutError():
            return StorageFailed(f"bucket {bucket} at {endpoint} does not answer in time")
        case ConnectionError() | HTTPClientError():
            return StorageFailed(f"the connection to bucket {bucket} at {endpoint} broke: {_words(error)}")
        case _:
            return StorageFailed(f"bucket {bucket} cannot be used: {_words(error)}")


def _words(error: Any) -> str:
    """A server's own words, bounded and without control characters."""
    text = error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else error
    return escaped(bounded(str(text), MAX_TEXT))
