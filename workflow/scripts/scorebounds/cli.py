"""The command line: score cards, bounds, and what is in a file."""

import os
import sys
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from scorebounds.core.joblog import is_users, sentence
from scorebounds.core.version import __version__
from scorebounds.core.visible import visible

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Interpret similarity scores between recordings and models.",
)
debug = False

JsonOption = Annotated[
    Path | None,
    typer.Option("--json", help="Write the result as JSON to this file, or - for the output."),
]


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        print(f"scorebounds {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    show_traceback: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Interpret similarity scores between recordings and models."""
    global debug
    debug = show_traceback


EntryOption = Annotated[
    str | None,
    typer.Option(
        help="How to read it, as in an entry of config.yaml: 'axes: [trial, condition, neuron]'."
    ),
]


@app.command()
def card(
    recording: Annotated[Path, typer.Argument(help="File of the recording.")],
    model: Annotated[Path, typer.Argument(help="File of the model's activations.")],
    entry: EntryOption = None,
    model_entry: EntryOption = None,
    match: Annotated[
        str, typer.Option(help="order, names, or labels that both files have: a,b.")
    ] = "order",
    measures: Annotated[
        str | None, typer.Option(help="Ids separated by commas; see `scorebounds measures`.")
    ] = None,
    permutations: Annotated[int, typer.Option(help="Permutations of the conditions.")] = 200,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Find what a score captures first (minutes).")
    ] = False,
    thresholds_from: Annotated[
        Path | None, typer.Option(help="Use results/tables/thresholds.csv of a workflow run.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random draws.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the card as a page of HTML.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Interpret the scores of a model: is this score good?"""
    import scorebounds.api as sb
    from scorebounds.analyses.progress import progress_shown

    _require_folders(output, json)
    _say(f"reading {recording} and {model}")
    x, y = sb.read(recording, **_entry(entry)), sb.read(model, **_entry(model_entry))
    chosen = _listed(measures)
    found = sb.thresholds(x, _with_gradient(chosen), seed=seed) if thresholds else thresholds_from
    _say("scoring")
    with progress_shown():
        result = sb.card(
            x,
            y,
            chosen,
            match=match if match in ("order", "names") else match.split(","),
            n_permutations=permutations,
            thresholds=found,
            seed=seed,
        )
    if output is not None:
        result.to_html(output)
        _say(f"wrote {output}")
    if json is not None:
        _write(json, result.to_json())
    if json != Path("-"):
        print(result)


@app.command()
def bounds(
    recording: Annotated[Path, typer.Argument(help="File of the recording.")],
    given: Annotated[str, typer.Argument(help="A measure and its score, such as cka=0.83.")],
    entry: EntryOption = None,
    json: JsonOption = None,
) -> None:
    """Print the proven range of every other measure, given one score."""
    import scorebounds.api as sb

    measure, equals, value = given.partition("=")
    try:
        score = float(value)
    except ValueError:
        equals = ""
    if not equals:
        raise ValueError(f"expected a measure and its score, such as cka=0.83, got {given!r}")
    _require_folders(json)
    table = sb.bounds(sb.read(recording, **_entry(entry)), **{measure: score})
    if json is not None:
        _write(json, table.to_json(orient="records", indent=1) + "\n")
    if json != Path("-") and not table.empty:
        print(table.to_string(index=False, float_format="{:.4f}".format))


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A file of arrays.")],
    entry: EntryOption = None,
    json: JsonOption = None,
) -> None:
    """List the arrays, axes, labels and names of a file, and the config entry to write."""
    from scorebounds.datasets.readers.inspect import describe, inspect_file

    _require_folders(json)
    content = inspect_file(file, **_entry(entry))
    if json is not None:
        _write(json, dumps(content, ensure_ascii=False, indent=1) + "\n")
    if json != Path("-"):
        print(visible(describe(content)))


@app.command()
def measures(
    name: Annotated[str | None, typer.Argument(help="Id or alias of a measure.")] = None,
    json: JsonOption = None,
) -> None:
    """List the measures, or describe one of them."""
    from scorebounds.analyses.measures import describe_measure, measures_table

    _require_folders(json)
    table = measures_table() if name is None else None
    text = describe_measure(str(name)) if table is None else table.to_string(index=False)
    if json is not None:
        shown = measures_table(None if name is None else [name])
        _write(json, shown.to_json(orient="records", indent=1) + "\n")
    if json != Path("-"):
        print(text)


def _entry(text: str | None) -> dict[str, Any]:
    """Read what a user says of a file, as in an entry of config.yaml."""
    if text is None:
        return {}
    import inspect

    import yaml

    from scorebounds.datasets.readers import custom

    known = [name for name in inspect.signature(custom.load).parameters if name != "path"]
    try:
        said = dict(yaml.safe_load(text if text.lstrip().startswith("{") else f"{{{text}}}"))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(
            "expected an entry such as 'axes: [trial, condition, neuron], names: image', got "
            f"{text!r}"
        ) from error
    unknown = [key for key in said if key not in known]
    if unknown:
        raise ValueError(f"expected an entry with keys of {', '.join(known)}, got {unknown[0]!r}")
    return said


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _with_gradient(names: Sequence[str] | None) -> list[str] | None:
    from scorebounds.measures import registry

    return None if names is None else [n for n in names if registry.load(n).differentiable]


def _require_folders(*paths: Path | None) -> None:
    """Raise ValueError, before anything is computed, where a file could not be written."""
    for path in paths:
        if path is None or path == Path("-"):
            continue
        if not path.parent.is_dir():
            raise ValueError(f"expected a folder to write {path} into, found no {path.parent}")
        if path.is_dir():
            raise ValueError(f"expected the name of a file to write, got the folder {path}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ValueError(f"{path} cannot be written: permission denied; choose another place")


def _write(path: Path, text: str) -> None:
    if path == Path("-"):
        print(text, end="")
    else:
        path.write_text(text, encoding="utf-8")
        _say(f"wrote {path}")


def _say(text: str) -> None:
    print(visible(f"scorebounds: {text}"), file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; end with exit code 1 and one sentence where something is wrong."""
    try:
        app(args=None if arguments is None else list(arguments))
    except SystemExit as stop:
        raise SystemExit(1 if stop.code else 0) from None
    except Exception as error:
        if debug or not is_users(error):
            raise
        print(visible(f"error: {sentence(error)}"), file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
