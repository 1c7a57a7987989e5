"""Origins: the pages that may call this server, and the names that this server answers to."""

import re
from collections.abc import Sequence

from facecli.core.addresses import is_local
from facecli.core.errors import InvalidInput

_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:([0-9]{1,5}|\*))?")


def origin_pattern(origins: Sequence[str]) -> str:
    """A regular expression for these origins, where `:*` is any port; InvalidInput for anything else."""
    patterns = []
    for origin in origins:
        match = _ORIGIN.fullmatch(origin.lower())
        if match is None:
            raise InvalidInput(
                f"--cors-origin {origin!r} is not an origin; write https://app.example or http://localhost:*"
            )
        port = r"(:[0-9]{1,5})?" if match[4] == "*" else re.escape(match[3] or "")
        patterns.append(re.escape(f"{match[1]}://{match[2]}") + port)
    return "|".join(patterns) or "(?!)"  # which matches nothing


def is_foreign(origin: str, host: str, pattern: str) -> bool:
    """Whether a page of this origin may not call the server that its browser found at `host`."""
    own = {f"http://{host}".lower(), f"https://{host}".lower()} if host else set()
    return origin.lower() not in own and not re.fullmatch(pattern, origin.lower())


def is_name_of_this_machine(host: str) -> bool:
    """Whether a Host header names the loopback interface.

    A page can make its own name point to 127.0.0.1 (DNS rebinding); the browser then takes both for one
    origin, but it sends that name.
    """
    return is_local(host if re.search(r":\d+$", host) else f"{host}:80")
