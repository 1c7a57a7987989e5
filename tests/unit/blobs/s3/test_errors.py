"""Errors of boto3 become ours: with the name of the bucket, the next step, and whether to try again."""

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)

from facecli.blobs.s3.errors import translate_s3_errors
from facecli.core.errors import BucketUnusable, DiskFull, StorageFailed

ENDPOINT = "https://s3.example"


def response(code: str, message: str = "said the server") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "UploadPart")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            response("NoSuchBucket"),
            BucketUnusable,
            "no bucket films at https://s3.example; create it",
        ),
        (response("AccessDenied"), BucketUnusable, "no permission for UploadPart in bucket films; allow it"),
        (response("403"), BucketUnusable, "no permission for UploadPart in bucket films; allow it"),
        (
            response("InvalidAccessKeyId"),
            BucketUnusable,
            "refuses these credentials (InvalidAccessKeyId)",
        ),
        (response("ExpiredToken"), BucketUnusable, "films refuses these credentials (ExpiredToken)"),
        (response("PermanentRedirect"), BucketUnusable, "films is in another region (said the server); set"),
        (response("RequestTimeTooSkewed"), BucketUnusable, "set the clock"),
        (NoCredentialsError(), BucketUnusable, "no credentials for bucket films (Unable to locate"),
        (NoRegionError(), BucketUnusable, "the region of bucket films is unknown; set AWS_REGION"),
        (response("QuotaExceeded"), DiskFull, "bucket films is full (QuotaExceeded)"),
        (response("SlowDown"), StorageFailed, "UploadPart in bucket films failed: SlowDown, said the server"),
        (
            EndpointConnectionError(endpoint_url=ENDPOINT),
            StorageFailed,
            "bucket films cannot be reached at https://s3.example; check the network and AWS_ENDPOINT_URL",
        ),
        (
            ReadTimeoutError(endpoint_url=ENDPOINT),
            StorageFailed,
            "at https://s3.example does not answer",
        ),
    ],
)
def test_an_error_names_the_bucket_and_the_next_step(error: Exception, kind: Any, text: str) -> None:
    with pytest.raises(kind) as raised, translate_s3_errors("films", ENDPOINT, "uploads/u1"):
        raise error
    assert type(raised.value) is kind
    assert text in raised.value.message
    assert raised.value.retryable is (kind is not BucketUnusable)


@pytest.mark.parametrize("code", ["NoSuchKey", "404", "NoSuchUpload"])
def test_a_missing_object_is_a_missing_file(code: str) -> None:
    with pytest.raises(FileNotFoundError, match="uploads/u1"), translate_s3_errors("b", "e", "uploads/u1"):
        raise response(code)


def test_the_words_of_a_server_are_bounded_and_escaped() -> None:
    with pytest.raises(StorageFailed) as raised, translate_s3_errors("b", "e", "k"):
        raise response("Odd", "\x1b[2J" + "word " * 1000)
    assert "\x1b" not in raised.value.message
    assert len(raised.value.message) < 400
