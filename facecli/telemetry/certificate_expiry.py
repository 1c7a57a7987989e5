"""The time at which a certificate expires, read from its PEM file without a library.

A certificate is a sequence of DER elements: a tag, a length, and the content. Before its validity come an
optional version, the serial number, the algorithm and the issuer, which are skipped.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18
_FORMATS = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}


def certificate_expiry(file: Path) -> float | None:
    """Seconds since 1970 at which the first certificate of a PEM file expires; None if it cannot be read."""
    try:
        text = file.read_text("ascii", errors="replace")
        start = text.index(_BEGIN)
        pem = text[start : text.index(_END, start) + len(_END)]
        return _not_after(ssl.PEM_cert_to_DER_cert(pem))
    except (OSError, ValueError, IndexError, KeyError):
        return None


def _not_after(certificate: bytes) -> float:
    _, signed, _ = _element(certificate)
    _, fields, _ = _element(signed)
    tag, _, rest = _element(fields)
    for _ in range(3 if tag == _VERSION else 2):
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    _, _, end = _element(validity)
    kind, when, _ = _element(end)
    return datetime.strptime(when.decode("ascii"), _FORMATS[kind]).replace(tzinfo=UTC).timestamp()


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """The tag and the content of the first element, and what follows it."""
    tag, length, start = data[0], data[1], 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    return tag, data[start : start + length], data[start + length :]
