"""The source of the plain functions that a program calls, with all that they refer to, so that it stands alone."""

from __future__ import annotations

import ast
import base64
import builtins
import inspect
import textwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import numpy as np

from ..core.errors import MathError
from ..core.quiet import ignoring, quietly, quietly_by_numpy, without_warnings
from .calls import literal
from .lines import NUMPY
from .names import Names

_PACKAGE = __name__.split(".")[0]


class Helpers:
    """Collects definitions; `add(name, thing)` makes sure that `name` will mean `thing`."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.known: dict[int, str] = {}
        self.imports: dict[str, None] = {}
        self.definitions: list[str] = []
        self._alive: list[Any] = []  # ids stay unique while their objects live

    def add(self, thing: Any, wish: str, name: str | None = None) -> str:
        """The name of `thing` in the text, defined there if it is new."""
        if id(thing) in self.known:
            if name is not None and self.known[id(thing)] != name:
                self.definitions.append(f"{name} = {self.known[id(thing)]}")
            return name or self.known[id(thing)]
        chosen = name or self.names.new(wish)
        self.known[id(thing)] = chosen
        self._alive.append(thing)
        self._define(thing, chosen)
        return chosen

    def _define(self, thing: Any, name: str) -> None:
        text = literal(thing)
        if isinstance(thing, ModuleType):
            if str(thing.__name__).split(".")[0] == _PACKAGE:
                raise MathError(f"a helper uses the module {thing.__name__}, which a standalone function cannot import")
            self.imports[f"import {thing.__name__} as {name}"] = None
        elif thing is ignoring or thing is quietly:
            alone = without_warnings if thing is ignoring else quietly_by_numpy
            self.definitions.append(self._function(cast("FunctionType", alone), name))
        elif isinstance(thing, FunctionType) and (thing.__module__ or "").split(".")[0] == _PACKAGE:
            self.definitions.append(self._function(thing, name))
        elif isinstance(thing, np.ufunc) and thing in NUMPY.values():
            self.definitions.append(f"{name} = np.{next(k for k, u in NUMPY.items() if u is thing)}")
        elif isinstance(getattr(thing, "__self__", None), np.ufunc):  # `np.add.reduce` and its like
            self.definitions.append(f"{name} = {self.add(thing.__self__, thing.__self__.__name__)}.{thing.__name__}")
        elif isinstance(thing, (np.ndarray, np.generic)):
            self.definitions.append(f"{name} = {array_text(np.asarray(thing))}")
        elif text is not None:
            self.definitions.append(f"{name} = {text}")
        elif isinstance(thing, complex):
            self.definitions.append(f"{name} = complex({thing.real!r}, {thing.imag!r})")
        elif isinstance(thing, dict) and all(literal(k) is not None for k in thing):
            parts = [f"{literal(k)}: {self.add(v, f'{name}_value')}" for k, v in thing.items()]
            self.definitions.append(f"{name} = {{{', '.join(parts)}}}")
        elif isinstance(getattr(thing, "__wrapped__", None), FunctionType):
            self.definitions.append(self._function(thing.__wrapped__, name))  # functools.cache and its like
        elif (getattr(thing, "__module__", "") or "").split(".")[0] not in ("", _PACKAGE) and hasattr(
            thing, "__qualname__"
        ):
            self.imports[f"from {thing.__module__} import {thing.__qualname__} as {name}"] = None
        elif isinstance(thing, type):
            self.definitions.append(f"{name} = {_stand_in(thing)}")
        elif hasattr(thing, "plain"):  # an op: its plain function
            self.definitions.append(f"{name} = {self.add(thing.plain, thing.name)}")
        else:
            raise MathError(f"a helper uses {thing!r:.60}, which cannot be written down as source")

    def _function(self, f: FunctionType, name: str) -> str:
        tree = ast.parse(_bare(f))
        node = tree.body[0].value if isinstance(tree.body[0], ast.Expr) else tree.body[0]
        scope = dict(inspect.getclosurevars(f).nonlocals)
        renamed: dict[str, str] = {}
        local = set(f.__code__.co_varnames) | set(f.__code__.co_cellvars)
        for word in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - local:
            if word == "np":
                continue
            if word in scope or word in f.__globals__:
                thing = scope[word] if word in scope else f.__globals__[word]
                renamed[word] = self.add(thing, f"helper_{word}")  # no local variable has such a name
            elif not hasattr(builtins, word) and isinstance(node, ast.Lambda):
                raise MathError(f"{name}: {word} is not known")
        node = _Rename(renamed).visit(node)
        if isinstance(node, ast.Lambda):
            return f"{name} = {ast.unparse(node)}"
        assert isinstance(node, ast.FunctionDef)
        node.name = name
        return ast.unparse(ast.fix_missing_locations(node))


class _Rename(ast.NodeTransformer):
    """Global names as they are called in the text."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


class _Bare(ast.NodeTransformer):
    """A function without annotations, decorators and docstring."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return self.visit(ast.Assign([node.target], node.value)) if node.value is not None else ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level or (node.module or "").split(".")[0] == _PACKAGE:
            raise MathError("a helper imports from this package, so that it cannot stand alone")
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list, node.returns = [], None
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            node.body = node.body[1:]
        self.generic_visit(node)
        return node


def _bare(f: FunctionType) -> str:
    """The text of a function without annotations, decorators and docstring: read once, as many programs need it."""
    if f.__code__ not in _BARE:
        _BARE[f.__code__] = ast.unparse(ast.fix_missing_locations(_Bare().visit(_definition(f))))
    return _BARE[f.__code__]


_BARE: dict[CodeType, str] = {}


def _definition(f: FunctionType) -> ast.FunctionDef | ast.Lambda:
    """The syntax tree of a function or lambda."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(f)))
    except (OSError, SyntaxError, IndentationError):
        raise MathError(f"the source of {f.__qualname__} cannot be read, so that it cannot stand alone") from None
    if f.__name__ != "<lambda>":
        return next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    for n in ast.walk(tree):
        if isinstance(n, ast.Lambda):
            code = compile(ast.unparse(n), "<lambda>", "eval").co_consts[0]
            if code.co_code == f.__code__.co_code and code.co_names == f.__code__.co_names:
                return n
    raise MathError(f"the source of the lambda {f.__qualname__} cannot be found, so that it cannot stand alone")


def array_text(a: np.ndarray[Any, Any]) -> str:
    """An array as an expression that gives exactly these bits."""
    kind = repr(a.dtype.name)
    if a.size and (a == a.flat[0]).all() and np.isfinite(a.flat[0]) and a.dtype.kind in "biuf" and a.ndim:
        return f"np.full({a.shape}, {a.flat[0].item()!r}, {kind})"
    if a.size <= 64 and a.dtype.kind in "biuf" and np.isfinite(a).all():
        return f"np.array({a.tolist()!r}, {kind}).reshape({a.shape})"
    text = base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()
    return f"np.frombuffer(base64.b64decode('{text}'), {kind}).reshape({a.shape})"


def _stand_in(kind: type) -> str:
    """For a class of this package: the built-in error that one of its errors is, or a type that nothing is of."""
    if not issubclass(kind, Exception):
        return f"type({kind.__name__!r}, (), {{}})"
    return next(k.__name__ for k in kind.__mro__ if k.__module__ == "builtins")
