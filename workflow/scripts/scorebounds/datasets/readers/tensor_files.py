"""Tensors: .safetensors, and what torch.save wrote (.pt, .pth)."""

import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scorebounds.core.memory import is_out_of_memory
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import DEFAULT_ARRAY, Container, missing_package
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
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise UnusableError(f"expected a header in JSON: {error}") from error
    header.pop("__metadata__", None)
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
