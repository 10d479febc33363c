"""Models with several layers: which layers there are, and the entry of each as a model."""

import json
import zipfile
import zlib
from ast import literal_eval

# Longest header of a .safetensors file that is read.
HEADER_BYTES = 100_000_000
# What zipfile raises on damaged, locked and unknown archives, next to faults of the headers.
UNREADABLE_ARCHIVE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
# Longest header of an array that NumPy reads.
ARRAY_HEADER_BYTES = 10_000


def layers_of_models():
    """Return the layers of each model that has several: its name for each, and what it is called."""
    layered = {}
    for model, entry in config["models"].items():
        if "layers" in entry:
            names = {}
            for layer in called_layers(model, entry):
                name = f"{model}.{re.sub('[^A-Za-z0-9._-]+', '-', layer)}"
                if name in names:
                    raise WorkflowError(
                        f"config, models → {model} → layers: the files of {names[name]!r} and "
                        f"{layer!r} would have the same name, {name}; rename one"
                    )
                names[name] = layer
            layered[model] = names
    return layered


def model_entries():
    """Return the entries of `models`, with one for each layer instead of one for all."""
    entries = {}
    for model, entry in config["models"].items():
        for name, layer in LAYERS_OF_MODELS.get(model, {model: None}).items():
            if name in entries or (layer is not None and name in config["models"]):
                raise WorkflowError(
                    f"config, models: {name!r} is a layer of {model!r} and another model; rename one"
                )
            entries[name] = entry if layer is None else entry_of_layer(model, entry, layer)
    return entries


def entry_of_layer(model, entry, layer):
    """Return the entry that reads one layer: an array of the file, or a file of the folder."""
    kept = {key: value for key, value in entry.items() if key != "layers"}
    if not is_folder(entry["path"]):
        return {**kept, "array": layer}
    return {**kept, "path": str(files_of_layers(entry["path"])[layer])}


def model_of_layer(name):
    """Return the model that a layer belongs to; empty for a model without layers."""
    return next((model for model, names in LAYERS_OF_MODELS.items() if name in names), "")


def called_layers(model, entry):
    """List the layers that the entry of a model means, or refuse the entry."""
    place, layers = f"config, models → {model}", entry["layers"]
    if "path" not in entry:
        raise WorkflowError(f"{place}: `layers` needs the `path` of a file or folder")
    path = Path(absolute(entry["path"]))
    check_is_there(str(path), place)
    if not path.exists():
        raise WorkflowError(f"{place}: no such file: {path}")
    if is_folder(path):
        known = list(files_of_layers(path))
        for layer in known if layers == "all" else layers:
            if layer not in known:
                raise WorkflowError(
                    f"{place} → layers: expected files of {path}, without their endings, got "
                    f"{layer!r}; there are: {', '.join(known) or 'none'}"
                )
        return known if layers == "all" else layers
    if "array" in entry:
        raise WorkflowError(f"{place}: expected either `array` or `layers`, got both")
    if layers != "all":
        return layers
    found = listed_arrays(path)
    if not found:
        raise WorkflowError(
            f"{place} → layers: `all` is for folders and for .npz and .safetensors files with "
            f"arrays of two or more axes; list the arrays of {path}, which `scorebounds inspect` "
            "shows"
        )
    return found


def is_folder(path):
    """Tell whether a path is a folder of files; one of Zarr is a file of arrays."""
    return Path(absolute(path)).is_dir() and Path(path).suffix != ".zarr"


def files_of_layers(path):
    """Return the files of a folder by their names without ending, `block2` before `block10`."""
    files = [
        file
        for file in sorted(Path(absolute(path)).iterdir(), key=lambda file: in_order(file.name))
        if not file.name.startswith(".")
    ]
    named = {re.sub(r"(\.gz)?$", "", file.name, flags=re.IGNORECASE): file for file in files}
    layers = {}
    for name, file in named.items():
        layer = Path(name).stem
        if layer in layers:
            raise WorkflowError(
                f"{path}: expected one file for each layer, got {layers[layer].name!r} and "
                f"{file.name!r}; rename or remove one"
            )
        layers[layer] = file
    return layers


def in_order(name):
    """Return the key that sorts numbers in names by their value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def listed_arrays(path):
    """List the arrays of a file that have two or more axes, in the order of the file.

    Snakemake may run without the libraries of the jobs, so the headers are read here.
    """
    try:
        if path.suffix == ".npz":
            return arrays_of_npz(path)
        if path.suffix == ".safetensors":
            return arrays_of_safetensors(path)
    except UNREADABLE_ARCHIVE as error:
        raise WorkflowError(f"{path}: cannot be read: {error}") from None
    return []


def arrays_of_npz(path):
    """List the arrays of numbers with two or more axes in a .npz file."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            # Other members are no arrays, which the reader leaves out too.
            if name.endswith(".npy"):
                with archive.open(name) as array:
                    shape, kind = header_of_array(name, array)
                if len(shape) > 1 and kind in "biuf":
                    found.append(name.removesuffix(".npy"))
    return found


def header_of_array(name, array):
    """Return the shape and the kind of numbers of an array, empty where it holds none."""
    fault = ValueError(f"{name!r} has a header that cannot be read; save it again")
    start = array.read(8)
    if len(start) < 8 or not start.startswith(b"\x93NUMPY"):
        raise fault
    size = int.from_bytes(array.read(2 if start[6] == 1 else 4), "little")
    if size > ARRAY_HEADER_BYTES:
        raise fault
    try:
        header = literal_eval(array.read(size).decode())
        shape, kind = header["shape"], header["descr"]
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise fault from None
    if not isinstance(shape, tuple):
        raise fault
    return shape, kind[1:2] if isinstance(kind, str) else "V"


def arrays_of_safetensors(path):
    """List the arrays with two or more axes in a .safetensors file."""
    fault = ValueError("expected the header of a .safetensors file; save it again")
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(min(size, HEADER_BYTES)))
        except (ValueError, RecursionError):
            raise fault from None
    if not isinstance(header, dict):
        raise fault
    header.pop("__metadata__", None)
    for facts in header.values():
        if not isinstance(facts, dict) or not isinstance(facts.get("shape"), list):
            raise fault
    arrays = sorted(header.items(), key=lambda item: in_order(item[0]))
    return [name for name, facts in arrays if len(facts["shape"]) > 1]
