"""Images to train networks on: handwritten digits, and CIFAR-10."""

import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scorebounds.networks.architectures import in_first_half

N_DIGITS_TRAIN = 1000
CIFAR_SHAPE = (3, 32, 32)
RECORD_BYTES = 1 + 3 * 32 * 32  # the class, then the pixels
CIFAR_TRAIN = [f"data_batch_{number}.bin" for number in range(1, 6)]
CIFAR_TEST = ["test_batch.bin"]


class Images(NamedTuple):
    """Images of one split: pixels (n, channel, row, column), single precision, and classes (n,)."""

    pixels: np.ndarray
    classes: np.ndarray


def load(name: str, files: list[Path]) -> tuple[Images, Images]:
    """Return the training and the held-out images, pixels centred and scaled as in training.

    Parameters
    ----------
    name : str
        `digits`, which scikit-learn carries, or `cifar10`.
    files : list of Path
        The archive of CIFAR-10 in its binary version; none for the digits.
    """
    train, held_out = _digits() if name == "digits" else _cifar10(*files)
    axes = (0, 2, 3)
    mean = train.pixels.mean(axes, keepdims=True)
    spread = train.pixels.std(axes, keepdims=True)
    return (
        Images((train.pixels - mean) / spread, train.classes),
        Images((held_out.pixels - mean) / spread, held_out.classes),
    )


def to_compare(train: Images, held_out: Images, n_images: int, compare_on: str) -> Images:
    """Return the first images of those on which layers are compared.

    Parameters
    ----------
    train, held_out : Images
    n_images : int
    compare_on : str
        `held_out` or `training`.

    Raises
    ------
    ValueError
        If there are not as many.
    """
    images = train if compare_on == "training" else held_out
    n_there = len(images.classes)
    if n_there < n_images:
        raise ValueError(
            f"config, layers → n_images: expected at most {n_there}, the number of {compare_on} "
            f"images, got {n_images}"
        )
    return Images(images.pixels[:n_images], images.classes[:n_images])


def half_of(images: Images, number: int) -> Images:
    """Return the images of the first half of the classes (0) or of the second (1), from class 0."""
    chosen = in_first_half(images.classes) == (number == 0)
    classes = images.classes[chosen]
    return Images(images.pixels[chosen], classes - classes.min())


def _digits() -> tuple[Images, Images]:
    """Return the 8 × 8 digits in their own order: the last 797 are of other writers."""
    # Here, for importing it takes a second.
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = Images(digits.images[:, None].astype(np.float32), digits.target)
    return (
        Images(*(part[:N_DIGITS_TRAIN] for part in images)),
        Images(*(part[N_DIGITS_TRAIN:] for part in images)),
    )


def _cifar10(archive: Path) -> tuple[Images, Images]:
    """Read the archive's members as they are, without writing any of them to disk."""
    with tarfile.open(archive) as members:
        wanted = {Path(member.name).name: member for member in members if member.isfile()}
        return (
            _cifar10_split(members, wanted, CIFAR_TRAIN),
            _cifar10_split(members, wanted, CIFAR_TEST),
        )


def _cifar10_split(
    members: tarfile.TarFile, wanted: dict[str, tarfile.TarInfo], names: list[str]
) -> Images:
    missing = [name for name in names if name not in wanted]
    if missing:
        raise ValueError(f"{members.name!s}: expected a member {missing[0]}, got {sorted(wanted)}")
    rows = []
    for name in names:
        stream = members.extractfile(wanted[name])
        read = b"" if stream is None else stream.read()
        if len(read) == 0 or len(read) % RECORD_BYTES:
            raise ValueError(
                f"{members.name!s}: expected {name} to hold records of {RECORD_BYTES} bytes, got "
                f"{len(read)} bytes"
            )
        rows.append(np.frombuffer(read, np.uint8).reshape(-1, RECORD_BYTES))
    records = np.concatenate(rows)
    pixels = records[:, 1:].reshape(-1, *CIFAR_SHAPE).astype(np.float32)
    return Images(pixels, records[:, 0].astype(np.int64))
