"""Digests of the code that a job runs, so that Snakemake reruns a job when its code changes.

A digest covers a script and every module of the library that it imports, directly or through
another module. It is computed from syntax trees, so comments, docstrings, blank lines and the
place of the files do not change it. The Snakefile loads this file by its path; it needs the
standard library only.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

PACKAGE = "scorebounds"
DESCRIBED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# How a job logs does not change what it computes.
NOT_IN_DIGEST = frozenset({f"{PACKAGE}.core.joblog"})


class CodeDigests:
    """Compute digests of scripts, reading each file once.

    Parameters
    ----------
    scripts : Path
        The folder of the scripts, which also holds the library.
    chosen_by_name : mapping of str to collection of str
        Modules that are loaded by name at run time, by the module that loads them. They count
        only where a digest asks for them.
    """

    def __init__(self, scripts: Path, chosen_by_name: Mapping[str, frozenset[str]]) -> None:
        self.scripts = scripts
        self.chosen_by_name = chosen_by_name
        self._modules: dict[Path, _Module] = {}
        self._data_files: dict[Path, list[Path]] = {}
        self._imports: dict[Path, list[Path]] = {}
        self._digests: dict[tuple[Any, ...], str] = {}

    def digest(
        self, script: str, *chosen: str, replaced: Mapping[str, str] = MappingProxyType({})
    ) -> str:
        """Return the digest of a script and of the modules behind it.

        Parameters
        ----------
        script : str
            The name of the script, without its ending.
        *chosen : str
            Modules of the library that this script loads by name, for example
            `scorebounds.measures.kernels`.
        replaced : mapping of str to str
            What stands for a module in the digest: of a table, the entries that the job uses.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        key = (script, *sorted(set(chosen)), *sorted(replaced.items()))
        if key not in self._digests:
            tables = {self._path_of(module) for module in replaced}
            files = [path for path in self.files(script, *chosen) if path not in tables]
            parts = [f"{path.name}:{self._module(path).digest}" for path in files]
            text = "\n".join([*parts, *replaced.values()])
            self._digests[key] = hashlib.sha256(text.encode()).hexdigest()[:32]
        return self._digests[key]

    def files(self, script: str, *chosen: str) -> list[Path]:
        """List the files behind a script, sorted by path."""
        pending = [self.scripts / f"{script}.py", *map(self._path_of, chosen)]
        found: set[Path] = set()
        while pending:
            path = pending.pop()
            if path not in found:
                found.add(path)
                pending += self._used_files(path)
        return sorted(found)

    def _module(self, path: Path) -> "_Module":
        if path not in self._modules:
            self._modules[path] = _Module(path)
        return self._modules[path]

    def _used_files(self, path: Path) -> list[Path]:
        """List the modules that a module imports, and the data files next to it that it reads."""
        if path not in self._imports:
            skipped = NOT_IN_DIGEST | self.chosen_by_name.get(self._name_of(path), frozenset())
            names = self._module(path).imported_names
            modules = {module for name in names for module in self._modules_behind(name)}
            imported = [self._path_of(module) for module in sorted(modules - skipped)]
            self._imports[path] = imported + self._data_files_of(path)
        return self._imports[path]

    def _data_files_of(self, path: Path) -> list[Path]:
        """List the files in a module's folder whose names the module has as string literals."""
        folder = path.parent
        if folder not in self._data_files:
            self._data_files[folder] = [
                file for file in folder.iterdir() if file.suffix != ".py" and file.is_file()
            ]
        module = self._module(path)
        return [file for file in self._data_files[folder] if module.has_literal(file.name)]

    def _modules_behind(self, name: str) -> Iterator[str]:
        """Yield the modules that importing a dotted name runs, without the package's own file.

        The last part of the name may be a function or a class: then its module is the rest. The
        `__init__.py` of `scorebounds` itself only lists the public API, so it is not followed.
        """
        parts = name.split(".")
        if not self._exists(name):
            parts = parts[:-1]
        if parts == [PACKAGE]:
            raise ValueError(
                f"expected an import that names a module of {PACKAGE}, found {name!r}; write "
                f"`from {PACKAGE}.<package>.<module> import <name>`, so that jobs rerun when "
                "this module changes"
            )
        for end in range(2, len(parts) + 1):
            yield ".".join(parts[:end])

    def _exists(self, name: str) -> bool:
        path = self.scripts.joinpath(*name.split("."))
        return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()

    def _path_of(self, module: str) -> Path:
        path = self.scripts.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def _name_of(self, path: Path) -> str:
        name = ".".join(path.relative_to(self.scripts).with_suffix("").parts)
        return name.removesuffix(".__init__")


class _Module:
    """One file: what it imports, and the digest of its code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = path.read_bytes()

    def tree(self) -> ast.Module:
        """Parse the file. No tree is kept: Python's collector would search all of them often."""
        return ast.parse(self.content, filename=str(self.path))

    @cached_property
    def _digest_and_names(self) -> tuple[str, list[str]]:
        if self.path.suffix != ".py":
            return hashlib.sha256(self.content).hexdigest(), []
        tree = self.tree()
        digest = hashlib.sha256(_code(tree).encode()).hexdigest()
        return digest, sorted(set(_imported_names(tree)))

    @property
    def digest(self) -> str:
        return self._digest_and_names[0]

    @property
    def imported_names(self) -> list[str]:
        return self._digest_and_names[1]

    def has_literal(self, text: str) -> bool:
        """Tell whether a string stands in the code as a literal."""
        # The bytes are searched first: walking every tree would take most of the time.
        return (
            self.path.suffix == ".py"
            and text.encode() in self.content
            and any(
                isinstance(node, ast.Constant) and node.value == text
                for node in ast.walk(self.tree())
            )
        )


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names of the library that a module imports, also inside functions."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _of_library(alias.name))
        elif isinstance(node, ast.ImportFrom):
            if node.module and _of_library(node.module):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and _is_for_type_checkers(node):
            pending += node.orelse
        elif isinstance(node, ast.stmt | ast.Module | ast.excepthandler | ast.match_case):
            pending += ast.iter_child_nodes(node)


def _of_library(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def _is_for_type_checkers(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _code(tree: ast.Module) -> str:
    """Return a syntax tree as text, without docstrings, places in the file and empty fields.

    Empty fields are left out so that a version of Python that adds one gives the same text.
    """
    parts: list[str] = []
    _append_code(tree, parts)
    return "".join(parts)


def _append_code(node: object, parts: list[str]) -> None:
    if isinstance(node, ast.AST):
        parts.append(f"({type(node).__name__}")
        for field in node._fields:
            value: Any = getattr(node, field, None)
            if field == "body" and _has_docstring(node):
                value = value[1:]
            if value is not None and value != [] and not isinstance(value, ast.expr_context):
                parts.append(f" {field}=")
                _append_code(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _append_code(item, parts)
        parts.append("]")
    else:
        parts.append(repr(node))


def _has_docstring(node: ast.AST) -> bool:
    body = getattr(node, "body", [])
    return (
        isinstance(node, DESCRIBED)
        and bool(body)
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )
