"""An archive with the layout of CIFAR-10's, filled with invented images."""

import io
import tarfile

import numpy as np

from scorebounds.networks import images


def cifar_archive(path, damage=""):
    """Write an archive of the binary version of CIFAR-10, with a few records per member."""
    rng = np.random.default_rng(0)
    with tarfile.open(path, "w:gz") as archive:
        for name in [*images.CIFAR_TRAIN, *images.CIFAR_TEST]:
            records = rng.integers(0, 256, size=(40, images.RECORD_BYTES), dtype=np.uint8)
            records[:, 0] = np.arange(40) % 10
            content = records.tobytes()
            if name == damage:
                content = content[:-1]
            if damage == f"no {name}":
                continue
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
