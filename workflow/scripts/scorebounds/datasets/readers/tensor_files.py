"""Tensors: .safetensors, and what torch.save wrote (.pt, .pth)."""

import contextlib
import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scorebounds.core.memory import is_out_of_memory
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    Container,
    missing_package,
    require_bytes,
)
from scorebounds.datasets.readers.entry import Entry

_WEIGHTS = re.compile(r"(.*\.)?(weight|bias|running_mean|running_var|num_batches_tracked)")
MAX_HEADER_BYTES = 100_000_000
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"}
_TYPES |= {"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
_TYPES |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"}


def open_file(path: Path, _: Entry) -> contextlib.AbstractContextManager[Container]:
    """Open a file of tensors; a single one without a name is the activity."""
    return _open_safetensors(path) if path.suffix.lower() == ".safetensors" else _open_torch(path)


@contextlib.contextmanager
def _open_safetensors(path: Path) -> Iterator[Container]:
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, MAX_HEADER_BYTES):
            raise UnusableError(
                f"expected a header of {length} bytes, got {max(size - 8, 0)}; the file is cut "
                "short or is not .safetensors"
            )
        header = _header(file.read(length))
    _require_activations(list(header))
    first = 8 + length
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        declared = math.prod(tensor["shape"]) * np.dtype(_TYPES.get(tensor["dtype"], "u1")).itemsize
        if tensor["dtype"] in _TYPES and (end - begin != declared or first + end > size):
            raise UnusableError(
                f"{name!r} declares shape {tuple(tensor['shape'])} and type {tensor['dtype']}, "
                f"{declared} bytes, and the file does not hold them; save it again"
            )

    def read(name: str) -> np.ndarray:
        tensor = header[name]
        if tensor["dtype"] not in _TYPES:
            raise UnusableError(f"{name!r} is of type {tensor['dtype']}; save it as float32")
        begin, _ = tensor["data_offsets"]
        dtype, shape = np.dtype(_TYPES[tensor["dtype"]]), tuple(tensor["shape"])
        values = np.fromfile(path, dtype, math.prod(shape), offset=first + begin).reshape(shape)
        return _from_bfloat16(values) if tensor["dtype"] == "BF16" else values

    yield Container({name: tuple(tensor["shape"]) for name, tensor in header.items()}, read)


def _header(text: bytes) -> dict[str, Any]:
    """Return what a header says of each tensor."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"expected a header in JSON: {error}") from error
    if not isinstance(header, dict):
        raise UnusableError(
            f"expected a header with names of tensors, got a {type(header).__name__}; save it again"
        )
    header.pop("__metadata__", None)
    for name, tensor in header.items():
        known = tensor if isinstance(tensor, dict) else {}
        sizes, places = known.get("shape"), known.get("data_offsets", [])
        if not (isinstance(known.get("dtype"), str) and _are_counts(sizes) and _are_counts(places)):
            raise UnusableError(
                f"expected type, shape and place of {name!r} in the header, got "
                f"{str(tensor)[:100]}; save it again"
            )
        if len(places) != 2 or places[0] > places[1]:
            raise UnusableError(
                f"expected `data_offsets` of {name!r} as [begin, end], got {str(places)[:100]}; "
                "save it again"
            )
    return header


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(one) is int and one >= 0 for one in values)


def _require_activations(names: list[str]) -> None:
    """Refuse the parameters of a network, as `model.state_dict()` has them."""
    if names and all(_WEIGHTS.fullmatch(name) for name in names):
        raise UnusableError(
            "expected activations, got the weights of a network "
            f"({', '.join(map(repr, names[:3]))}); record its activations with "
            "scorebounds.activations(model, inputs)"
        )


def _from_bfloat16(values: np.ndarray) -> np.ndarray:
    # A bfloat16 is the upper half of a float32.
    return (values.astype(np.uint32) << 16).view(np.float32)


@contextlib.contextmanager
def _open_torch(path: Path) -> Iterator[Container]:
    try:
        import torch
    except ImportError as error:
        raise missing_package("torch", path) from error
    import pickle

    _require_memory(path)
    try:
        # Indices outside a sparse tensor would be written outside its memory.
        with torch.sparse.check_sparse_tensor_invariants():
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        if is_out_of_memory(error):
            raise
        raise UnusableError(
            "expected tensors that torch.load(weights_only=True) reads, got other Python objects "
            "or a damaged file; save a tensor, or a dictionary of tensors"
        ) from error
    tensors = dict(_named(content, ""))
    _require_activations(list(tensors))
    if not tensors:
        raise UnusableError(f"expected a tensor or a dictionary of tensors, got {type(content)}")

    def read(name: str) -> np.ndarray:
        tensor = tensors[name].detach().to_dense()
        plain = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        return np.asarray(plain.numpy())

    yield Container({name: tuple(tensor.shape) for name, tensor in tensors.items()}, read)


def _require_memory(path: Path) -> None:
    """Refuse members of the archive that become larger than the free memory on reading."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        packed = [one.file_size for one in members if one.compress_type != zipfile.ZIP_STORED]
        require_bytes(repr(path.name), sum(packed))


def _named(content: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of nested dictionaries by path."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _named(value, f"{prefix}{name}.")
    elif isinstance(content, list | tuple):
        for place, value in enumerate(content):
            yield from _named(value, f"{prefix}{place}.")
    elif hasattr(content, "detach"):
        yield prefix.rstrip(".") or DEFAULT_ARRAY, content
