"""Activations of the layers of a torch model."""

import fnmatch
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import torch
import xarray as xr
from torch import Tensor, nn

from scorebounds.core.memory import is_out_of_memory
from scorebounds.core.recording import ROW_NAME

logger = logging.getLogger(__name__)

BATCH_SIZE = 64
POOLS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda values: values.flatten(2).mean(-1),
    "max": lambda values: values.flatten(2).amax(-1),
}
Outputs = dict[str, list[np.ndarray]]


def layer_activations(
    model: nn.Module,
    inputs: Tensor | Sequence[Tensor] | Iterable[Any],
    *,
    layers: Sequence[str] | str | None = None,
    names: Sequence[str] | None = None,
    pool: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> dict[str, xr.DataArray]:
    """Record the outputs of layers for each input, without gradients and in eval mode.

    Parameters
    ----------
    model : Module
        Its parameters tell the device and precision to which the inputs are brought; afterwards it
        is in the mode, training or eval, in which it was before.
    inputs : Tensor or ndarray, shape (n_samples, ...), or iterable of batches
        A `DataLoader` is an iterable of batches; of a batch that is a tuple or list, the first
        element is the input.
    layers : sequence of str, or str, optional
        Names, or patterns such as `"block*.relu"`, of the modules as in `model.named_modules()`.
        Not given: every module without children. What is not named itself is left out, with a
        warning, if it does not run once for each input, such as a rectifier that is used twice.
    names : sequence of str, optional
        Name of each sample, by which the rows of a recording can be paired.
    pool : str, optional
        `mean` or `max` over all axes after (sample, channel). Not given: all values are units.
    batch_size : int
        Samples at a time, where `inputs` is one tensor.

    Returns
    -------
    dict of str to DataArray, dims (sample, neuron)
        In the order in which the modules are defined, single precision unless the model has double.

    Raises
    ------
    ValueError
        If no module matches, a module gives no single tensor with a row per sample, the activations
        do not fit into the free memory, or the names do not fit the samples.
    """
    if isinstance(inputs, np.ndarray):
        inputs = torch.from_numpy(inputs)
    if isinstance(model, nn.Module) and not list(model.children()):
        # A single layer, which has no name of its own.
        model = nn.Sequential(OrderedDict({type(model).__name__: model}))
    chosen = _chosen_layers(model, layers)
    if pool is not None and pool not in POOLS:
        raise ValueError(f"expected pool to be one of {', '.join(POOLS)} or None, got {pool!r}")
    outputs: Outputs = {name: [] for name in chosen}
    n_samples = _n_samples(inputs)
    named = set(chosen) & set([layers] if isinstance(layers, str) else layers or ())
    with _recording(model, named, outputs, POOLS[pool] if pool else None), torch.no_grad():
        for number, batch in enumerate(_batches(model, inputs, batch_size)):
            _run(model, batch)
            if number == 0:
                _leave_out_others(outputs, named, len(batch))
            _require_one_output(outputs, number + 1, len(batch))
            if number == 0 and n_samples is not None:
                _require_memory(outputs, n_samples / len(batch))
    return _as_arrays(outputs, type(model).__name__, names)


def _n_samples(inputs: Any) -> int | None:
    """Return the number of samples of a tensor or a DataLoader, None where it is not known."""
    try:
        return len(inputs if isinstance(inputs, Tensor) else inputs.sampler)
    except (AttributeError, TypeError):
        return None


def _chosen_layers(model: nn.Module, layers: Sequence[str] | str | None) -> list[str]:
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected a torch module, got {type(model).__name__}")
    modules = {name: module for name, module in model.named_modules() if name}
    if layers is None:
        chosen = [name for name, module in modules.items() if not list(module.children())]
        if not chosen:
            raise ValueError(f"expected a model with named modules, got {type(model).__name__}")
        return chosen
    patterns = [layers] if isinstance(layers, str) else list(layers)
    for pattern in patterns:
        if not fnmatch.filter(modules, pattern):
            known = ", ".join(list(modules)[:8])
            raise ValueError(
                f"expected a layer named {pattern!r}, got {len(modules)} layers without it: {known}"
                f"{', …' if len(modules) > 8 else ''}"
            )
    return [name for name in modules if any(fnmatch.fnmatchcase(name, each) for each in patterns)]


@contextmanager
def _recording(
    model: nn.Module,
    named: Collection[str],
    outputs: Outputs,
    pool: Callable[[Tensor], Tensor] | None,
) -> Iterator[None]:
    """Have the modules of `outputs` append their outputs; restore the model at the end."""

    def keeper(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if name not in outputs:
                return
            try:
                outputs[name].append(_as_units(name, output, pool))
            except ValueError:
                if name in named:
                    raise
                outputs[name].append(np.empty((0, 0)))

        return keep

    modes = {module: module.training for module in model.modules()}
    modules = dict(model.named_modules())
    handles = [modules[name].register_forward_hook(keeper(name)) for name in outputs]
    model.eval()
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training


def _as_units(name: str, output: Any, pool: Callable[[Tensor], Tensor] | None) -> np.ndarray:
    tensor = output[0] if isinstance(output, tuple | list) else output
    if not isinstance(tensor, Tensor) or tensor.ndim < 2:
        raise ValueError(
            f"expected layer {name!r} to return a tensor with a row for each sample, "
            f"got {type(output).__name__}; choose other layers"
        )
    if pool is not None and tensor.ndim > 2:
        tensor = pool(tensor)
    flat = tensor.flatten(1)
    # Half precision is stored in single: NumPy has no bfloat16.
    if flat.dtype not in (torch.float32, torch.float64):
        flat = flat.float()
    # A copy, because a later layer may work in place.
    return np.array(flat.cpu().numpy())


def _batches(model: nn.Module, inputs: Any, batch_size: int) -> Iterator[Tensor]:
    parameter = next(model.parameters(), None)
    batches = inputs.split(batch_size) if isinstance(inputs, Tensor) else inputs
    for batch in batches:
        values = batch[0] if isinstance(batch, tuple | list) else batch
        values = torch.as_tensor(values)
        if parameter is not None:
            values = values.to(parameter.device)
            if values.is_floating_point():
                values = values.to(parameter.dtype)
        yield values


def _run(model: nn.Module, batch: Tensor) -> None:
    try:
        model(batch)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise ValueError(
            f"expected inputs that {type(model).__name__} takes, got a batch of shape "
            f"{tuple(batch.shape)}: {' '.join(str(error).split())}"
        ) from error


def _leave_out_others(outputs: Outputs, named: Collection[str], n_rows: int) -> None:
    """Leave out modules that nobody has named and that do not run once, with a row per sample."""
    unusable = [
        name
        for name, kept in outputs.items()
        if name not in named and (len(kept) != 1 or len(kept[0]) != n_rows)
    ]
    if len(unusable) == len(outputs):
        # The error about the first of them says what is wrong.
        return
    for name in unusable:
        del outputs[name]
    if unusable:
        shown = ", ".join(unusable[:3]) + (", …" if len(unusable) > 3 else "")
        logger.warning(
            "left out %d layers that do not run once for each input with a row for each sample: %s",
            len(unusable),
            shown,
        )


def _require_one_output(outputs: Outputs, n_batches: int, n_rows: int) -> None:
    for name, kept in outputs.items():
        if len(kept) != n_batches or len(kept[-1]) != n_rows:
            raise ValueError(
                f"expected layer {name!r} to run once for each batch with a row for each sample, "
                f"got {len(kept) - n_batches + 1} outputs for a batch of {n_rows}; choose other "
                "layers"
            )


def _require_memory(outputs: Outputs, n_batches: float) -> None:
    # Twice: the batches, and the array that they are joined into.
    needed = 2 * n_batches * sum(kept[0].nbytes for kept in outputs.values())
    free = psutil.virtual_memory().available
    logger.info("activations of %d layers need %.2g GB", len(outputs), needed / 1e9)
    if needed > free:
        raise ValueError(
            f"the activations of {len(outputs)} layers need {needed / 1e9:.1f} GB and "
            f"{free / 1e9:.1f} GB of memory are free; choose fewer layers or samples, or pool them"
        )


def _as_arrays(
    outputs: Outputs, model: str, names: Sequence[str] | None
) -> dict[str, xr.DataArray]:
    arrays = {}
    for layer, kept in outputs.items():
        if not kept:
            raise ValueError("expected at least one batch of inputs, got none")
        values = np.concatenate(kept)
        array = xr.DataArray(values, dims=("sample", "neuron"), name="activity")
        if names is not None:
            if len(names) != len(values):
                raise ValueError(
                    f"expected a name for each of the {len(values)} samples, got {len(names)}"
                )
            array = array.assign_coords({ROW_NAME: ("sample", np.asarray(names))})
        shape = math.prod(values.shape[1:])
        arrays[layer] = array.assign_attrs(dataset=layer, model=model, n_units=shape)
    return arrays
