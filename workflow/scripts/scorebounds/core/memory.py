"""The memory for a job: refuse what certainly does not fit, and cut batches to what does."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

# A request above the floor is at most this multiple of what the job uses (benchmarks/edges.py).
LARGEST_RATIO = 4
# Requests up to this are floors: of Python with PyTorch.
FLOOR_MB = 1000
CONTROL_GROUP = Path("/sys/fs/cgroup")
# PyTorch has no MemoryError: the CPU raises RuntimeError, a GPU OutOfMemoryError or RuntimeError.
_SAID_OF_MEMORY = re.compile("can't allocate memory|out of memory|_ALLOC_FAILED", re.IGNORECASE)
_SAID_OF_SIZE = re.compile(r"tried to allocate ([\d.]+ \w+)", re.IGNORECASE)


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


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory could not be allocated, by Python, NumPy or PyTorch.

    Examples
    --------
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"))
    True
    """
    if isinstance(error, MemoryError):
        return True
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and bool(_SAID_OF_MEMORY.search(str(error)))


def what_was_allocated(error: BaseException) -> str:
    """Return what an error for which `is_out_of_memory` is true says about the size.

    Examples
    --------
    >>> what_was_allocated(RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0"))
    '20.00 GiB could not be allocated'
    """
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return said or "no more could be allocated"
    size = _SAID_OF_SIZE.search(said)
    return f"{size[1]} could not be allocated" if size else "no more could be allocated"


def require_memory(
    resources: Mapping[str, object], config: Mapping[str, object], *, n_parts: int = 1
) -> None:
    """Refuse a job whose least need, a quarter of its request, exceeds the memory for it.

    Parameters
    ----------
    resources : mapping
        `mem_mb` is what the job requests, anything but a number is not compared; `attempt`, by
        which the first request has been multiplied, is 1 if it is missing.
    config : mapping
        Settings; `memory_limit` is the MB for a job, 0 for the memory that is free.
    n_parts : int
        Number of equal parts that the job can compute one after the other.

    Raises
    ------
    MemoryError
        If the job cannot fit.

    Examples
    --------
    >>> require_memory({"mem_mb": 40_000}, {"memory_limit": 16_000})
    >>> try:
    ...     require_memory({"mem_mb": 40_000}, {"memory_limit": 2_000})
    ... except MemoryError as error:
    ...     print(str(error)[:43])
    expected at least 10000 MB for this job, a
    """
    requested = first_request(resources)
    if requested is None or requested <= FLOOR_MB:
        return
    needed = requested / n_parts / LARGEST_RATIO
    allowed, whose = _allowed(config)
    if needed > allowed:
        share = f"a quarter of the {requested:.0f} MB that it requests"
        share += f" to compute {n_parts} parts at once" if n_parts > 1 else ""
        raise MemoryError(
            f"expected at least {needed:.0f} MB for this job, {share}, got {allowed:.0f} MB "
            f"({whose})"
        )


def first_request(resources: Mapping[str, object]) -> float | None:
    """Return the MB that a job requested at its first attempt, or None if they are not known."""
    requested, attempt = resources.get("mem_mb"), resources.get("attempt", 1)
    if not isinstance(requested, int | float) or not isinstance(attempt, int):
        return None
    return requested / attempt


def parts_at_once(
    resources: Mapping[str, object], config: Mapping[str, object], n_parts: int
) -> int:
    """Return how many of a job's equal parts fit into the memory for it at once, one or more.

    Examples
    --------
    >>> parts_at_once({"mem_mb": 10_000}, {"memory_limit": 4_500}, 5)
    2
    """
    requested = first_request(resources)
    if requested is None or requested <= FLOOR_MB:
        return n_parts
    allowed, _ = _allowed(config)
    return int(min(n_parts, max(1, n_parts * allowed // requested)))


def _allowed(config: Mapping[str, object]) -> tuple[float, str]:
    """Return the MB for a job, and where this number is from."""
    limit = config.get("memory_limit") or 0
    return (float(str(limit)), "memory_limit") if limit else (free_mb(), "free memory")
