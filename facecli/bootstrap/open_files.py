"""The limit of open files of this process, and its share for connections."""

import resource

RESERVED_FILES = 1024  # for uploads, downloads, databases and workers


def max_connections() -> int:
    """The number of connections that leave enough files for all else, after raising the limit to its maximum.

    Without it a few thousand silent connections would take the files that uploads need.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return 2**31 - 1
    return min(2**31 - 1, hard - min(RESERVED_FILES, hard // 2))
