"""How much room this machine has: free memory, free disk, free memory of its GPU.

Nothing heavy is imported: the GPU is asked for by its vendor's command, where there is one.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lcagent.engine.sizing.fits import Room

_ANSWERS_WITHIN_S = 10


def room_here(folder: Path) -> Room:
    """Return what is free now, on the disk of `folder` and elsewhere."""
    place = folder
    while not place.exists():
        place = place.parent
    return Room(_free_memory(), shutil.disk_usage(place).free, _free_on_gpu())


def _free_memory() -> int:
    """Return what a process may still take: of the machine, or of the group it is in."""
    return min(_available(), _left_in_group())


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _left_in_group() -> int:
    """Return what a limit on this group of processes (cgroup v2) leaves, or a lot."""
    group = Path("/sys/fs/cgroup")
    try:
        most = int((group / "memory.max").read_text(encoding="ascii"))
        return most - int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no limit, or no such groups
        return 1 << 62


def _free_on_gpu() -> int | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    asked = [command, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(  # noqa: S603 -- a fixed command
            asked, capture_output=True, text=True, check=True, timeout=_ANSWERS_WITHIN_S
        )
        return int(told.stdout.split()[0]) << 20
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
