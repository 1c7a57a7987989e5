"""Memory that a program in the sandbox shares with this process, for what is too much for a pipe.

Theory of operation: a file without a name, in memory, whose descriptor the program inherits. It is sealed in
its size: a file that the program could shorten would end this process when it reads what is gone.
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from facecli.core.video.frames import SharedMemory


@contextmanager
def shared_memory(size: int) -> Iterator[SharedMemory | None]:
    """Yield so many bytes; None for 0, and where the system has no such memory."""
    if not size or (descriptor := _sealed_file(size)) is None:
        yield None
        return
    try:
        mapped = mmap.mmap(descriptor, size)
        view = memoryview(mapped)
        try:
            yield SharedMemory(descriptor=descriptor, view=view)
        finally:
            view.release()
            with suppress(BufferError):  # parts of it are in use; it goes with the last one
                mapped.close()
    finally:
        os.close(descriptor)


def _sealed_file(size: int) -> int | None:
    try:
        descriptor = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (OSError, AttributeError):  # out of files, or not Linux
        return None
    try:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(
            descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        )
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
