"""Connections to S3 by boto3's own configuration: environment, profiles, roles.

Theory of operation. Requests are retried by botocore, `ATTEMPTS` times at most with backoff, and each has
time limits, so a call ends within about a minute. A longer outage is an error, and the retry budget of the
client or the worker counts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import boto3
from botocore.config import Config

from facecli.blobs.s3.errors import translate_s3_errors
from facecli.core.addresses import is_local

ATTEMPTS = 4  # of a request, in total
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 20.0  # seconds without a byte
COMPLETE_TIMEOUT = 120.0  # seconds; S3 takes its time to join the parts of a large object
CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Connections to S3; `patient` ones wait longer."""

    usual: Any
    patient: Any


def connect(bucket: str) -> Clients:
    """BucketUnusable or StorageFailed when the configuration of boto3 is broken."""
    with translate_s3_errors(bucket, "S3", bucket):
        session = boto3.Session()
        endpoint = session.client("s3").meta.endpoint_url
        usual, patient = (_client(session, endpoint, timeout) for timeout in (READ_TIMEOUT, COMPLETE_TIMEOUT))
        return Clients(usual=usual, patient=patient)


def _client(session: boto3.Session, endpoint: str, read_timeout: float) -> Any:
    """A client that signs bodies only where somebody on the way could change them.

    Servers other than Amazon's are addressed by path: few of them have a host name for each bucket.
    """
    chosen: dict[str, object] = {"payload_signing_enabled": not is_protected(endpoint)}
    if "amazonaws." not in endpoint:
        chosen["addressing_style"] = "path"
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3=chosen,
    )
    client = session.client("s3", config=config)
    client.meta.events.register_last("before-call.s3", _send_at_once)
    return client


def is_protected(endpoint: str) -> bool:
    """Whether nobody between this process and the endpoint can change a body: by TLS, or on one machine."""
    url = urlsplit(endpoint)
    return url.scheme == "https" or (is_local(f"{url.hostname}:0") and "http" not in getproxies_environment())


def _send_at_once(params: Mapping[str, Any], **_: object) -> None:
    """Send a body without asking S3 first: botocore reads the answer byte by byte, up to 0.1 s long."""
    params["headers"].pop("Expect", None)
