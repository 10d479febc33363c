"""Does a file hold what its name says? For files of which no checksum is known."""

import zipfile
from pathlib import Path
from typing import IO, Literal

HDF5 = b"\x89HDF\r\n\x1a\n"
# MATLAB puts 512 bytes of its own before the HDF5 part of a version 7.3 file.
HDF5_PLACES = (0, 512)
MATLAB_HEADER_BYTES = 128
# How files of each format begin.
STARTS: dict[str, tuple[bytes, ...]] = {
    ".zip": (b"PK",),
    ".npz": (b"PK",),
    ".nc": (HDF5, b"CDF"),
    ".mat": (b"MATLAB", HDF5),
    ".rda": (b"\x1f\x8b",),
    ".npy": (b"\x93NUMPY",),
}


def content_fault(path: Path, name: str) -> str | None:
    """Say what is wrong with the content of a file, or return None.

    A web page in place of the file, the wrong format and a file that is cut short are noticed; a
    changed byte is not.

    Parameters
    ----------
    path : Path
    name : str
        The name that tells the format.
    """
    with open(path, "rb") as file:
        start = file.read(512)
        if start.lstrip()[:1] == b"<":
            return "it is a web page, not the file"
        ending = Path(name).suffix.lower()
        if ending in STARTS and not start.startswith(STARTS[ending]):
            return f"it does not begin as a {ending} file"
        if ending in (".zip", ".npz"):
            # The table of contents of a zip is at its end.
            return None if zipfile.is_zipfile(path) else "it is cut short"
        if ending in (".mat", ".nc"):
            size = path.stat().st_size
            end = _hdf5_end(file) or (_matlab_end(file, start, size) if ending == ".mat" else None)
            return f"it is cut short: {size} of {end} bytes" if end and size < end else None
        return "it is no text" if ending == ".csv" and b"\0" in start else None


def _hdf5_end(file: IO[bytes]) -> int | None:
    """Read where an HDF5 file says that it ends; None if it is none."""
    for place in HDF5_PLACES:
        file.seek(place)
        superblock = file.read(52)
        if superblock.startswith(HDF5):
            # Where the end stands, and how wide, differs between versions of the superblock.
            version = superblock[8]
            first = {0: 40, 1: 44}.get(version, 28)
            width = superblock[13 if version < 2 else 9]
            return int.from_bytes(superblock[first : first + width], "little")
    return None


def _matlab_end(file: IO[bytes], start: bytes, size: int) -> int:
    """Follow the elements of a MATLAB 5 file, each with its length, to where the last one ends."""
    order: Literal["little", "big"] = "little" if start[126:128] == b"IM" else "big"
    place = MATLAB_HEADER_BYTES
    while place < size:
        file.seek(place + 4)
        place += 8 + int.from_bytes(file.read(4), order)
    return place
