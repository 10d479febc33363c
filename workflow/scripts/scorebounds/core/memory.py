"""Refuse a job that certainly does not fit into memory, before it begins."""

import os
from collections.abc import Mapping
from pathlib import Path

# A request above the floor is at most this multiple of what the job uses (benchmarks/edges.py).
LARGEST_RATIO = 4
# Requests up to this are floors: of Python with PyTorch.
FLOOR_MB = 1000
CONTROL_GROUP = Path("/sys/fs/cgroup")


def free_mb() -> float:
    """Return the MB that a process may still take: of the machine, or of its control group."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        found = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
        free = found["MemAvailable"] * 1024
    except OSError:  # not Linux: all of its memory
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int((CONTROL_GROUP / "memory.max").read_text(encoding="utf-8"))
        used = int((CONTROL_GROUP / "memory.current").read_text(encoding="utf-8"))
        free = min(free, limit - used)
    except (OSError, ValueError):  # no control group, or one without limit ("max")
        pass
    return free / 1e6


def require_memory(requested: object, config: Mapping[str, object]) -> None:
    """Refuse a job whose least need, a quarter of its request, exceeds the memory for it.

    Parameters
    ----------
    requested : object
        MB that the job requests; anything but a number is not compared.
    config : mapping
        Settings; `memory_limit` is the MB for a job, 0 for the memory that is free.

    Raises
    ------
    MemoryError
        If the job cannot fit.

    Examples
    --------
    >>> require_memory(40_000, {"memory_limit": 16_000})
    >>> try:
    ...     require_memory(40_000, {"memory_limit": 2_000})
    ... except MemoryError as error:
    ...     print(str(error)[:43])
    expected at least 10000 MB for this job, a
    """
    if not isinstance(requested, int | float) or requested <= FLOOR_MB:
        return
    needed = requested / LARGEST_RATIO
    limit = config.get("memory_limit") or 0
    allowed, whose = (float(str(limit)), "memory_limit") if limit else (free_mb(), "free memory")
    if needed > allowed:
        raise MemoryError(
            f"expected at least {needed:.0f} MB for this job, a quarter of the {requested:.0f} MB "
            f"that it requests, got {allowed:.0f} MB ({whose})"
        )
