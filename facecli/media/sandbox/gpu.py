"""The needs of a program in the sandbox that computes on NVIDIA's GPUs.

It controls their device files, which must exist before: nothing in the sandbox may create them. CUDA reads
the driver's version and parameters, and where the card is connected, and reserves as many addresses as the
memory of all cards. It keeps no cache of compiled code, because it may write no file.
"""

from pathlib import Path

DEVICES = Path("/dev")
PATTERN = "nvidia*"  # the control device, the cards, and unified memory
READS = tuple(
    map(
        Path,
        (
            *("/proc/driver/nvidia", "/proc/devices", "/proc/cpuinfo", "/proc/meminfo"),
            *("/sys/bus/pci", "/sys/devices", "/sys/module/nvidia"),
        ),
    )
)
MEMORY = 1 << 46  # bytes of address space
OPEN_FILES = 1024


def gpu_devices(folder: Path = DEVICES) -> tuple[Path, ...]:
    """The device files of the GPUs of this machine."""
    return tuple(sorted(folder.glob(PATTERN)))
