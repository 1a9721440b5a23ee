"""The text of a move: its expression as one would write it, with what the move has drawn in place.

A move is a function of a namespace and of arrays, `lambda xp, x: xp.sum(x, axis=axis)`. Its words are read off the
file that it stands in: `tm.sum(v3, axis=1)`. Functions that it calls are written in, or defined above.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np


def words(call: Callable[..., Any], *names: str) -> tuple[str, list[str]]:
    """The expression of `call(xp, *arrays)` for arrays of these names, and the definitions that it needs."""
    above: list[str] = []
    written = _written(call, [_name("tm"), *map(_name, names)], above)
    return ast.unparse(ast.fix_missing_locations(written)), above


def literal(value: Any) -> ast.expr:
    """A value as it is written down."""
    if isinstance(value, np.ndarray):
        short = value.astype(str).astype(float) if value.dtype == np.float32 else value  # 0.8, not 0.800000011920929
        filled = "array" if value.size else "zeros"
        dtype = [] if value.dtype in (float, int, bool, complex) and value.size else [ast.Constant(value.dtype.name)]
        numbers = literal(short.tolist() if value.size else value.shape)
        return ast.Call(ast.Attribute(_name("np"), filled), [numbers, *dtype], [])
    if isinstance(value, slice):
        return ast.Call(_name("slice"), [literal(v) for v in (value.start, value.stop, value.step)], [])
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value])
    if isinstance(value, list):
        return ast.List([literal(v) for v in value])
    if value is Ellipsis:
        return ast.Constant(...)
    return ast.parse(repr(value.item() if isinstance(value, np.generic) else value), mode="eval").body


def _index(value: Any) -> ast.expr:
    if isinstance(value, slice):
        parts = [None if v is None else literal(v) for v in (value.start, value.stop, value.step)]
        return ast.Slice(*parts)
    return ast.Tuple([_index(v) for v in value]) if isinstance(value, tuple) else literal(value)


def _name(name: str) -> ast.Name:
    return ast.Name(name)


@cache
def _functions(path: str) -> tuple[tuple[Any, ...], ...]:
    """Of each function of a file its name, its text, and from where to where it and its body go.

    Numbers and texts alone, for a compiled function that reaches this looks through all that is kept.
    """
    found = [n for n in ast.walk(ast.parse(Path(path).read_text())) if isinstance(n, (ast.Lambda, ast.FunctionDef))]
    return tuple([(getattr(n, "name", "<lambda>"), ast.unparse(n), _span(n), _body(n)) for n in found])


def _span(n: Any) -> tuple[int, ...]:
    return n.lineno, n.col_offset, n.end_lineno, n.end_col_offset


def _body(n: ast.Lambda | ast.FunctionDef) -> tuple[int, ...]:
    return _span(n.body) if isinstance(n, ast.Lambda) else ()


@cache
def _definition(code: CodeType) -> str:
    """What the file says the code does; several functions may stand in one line."""
    spots = [p for p in code.co_positions() if None not in p and (p[0], p[2]) != (p[1], p[3])]
    start, end = min((p[0], p[2]) for p in spots), max((p[1], p[3]) for p in spots)

    def fits(name: str, span: tuple[int, ...], body: tuple[int, ...]) -> bool:
        if name != code.co_name:
            return False
        return body[:2] <= start and end <= body[2:] if body else span[0] == code.co_firstlineno

    found = [(span, text) for name, text, span, body in _functions(code.co_filename) if fits(name, span, body)]
    return min(found, key=lambda f: (f[0][2] - f[0][0], f[0][3] - f[0][1]))[1]


def _node(text: str) -> ast.Lambda | ast.FunctionDef:
    made = ast.parse(text).body[0]
    return made.value if isinstance(made, ast.Expr) else made  # type: ignore[return-value]


def _written(call: Callable[..., Any], arguments: list[ast.expr], above: list[str]) -> ast.expr:
    """The body of a function with its arguments and what it closes over in place."""
    code: CodeType = call.__code__
    node = _node(_definition(code))
    values = {n: c.cell_contents for n, c in zip(code.co_freevars, call.__closure__ or (), strict=True)}
    if isinstance(node, ast.Lambda):
        given = {p.arg: a for p, a in zip(node.args.args, arguments, strict=True)}
        return _Put(given, values, above).visit(node.body)
    kept = node.args.args[1:]  # all but the namespace
    node.args.args = kept
    given = {"xp": arguments[0]}
    node.body = [_Put(given, values, above).visit(s) for s in node.body]
    above.append(ast.unparse(ast.fix_missing_locations(node)))
    return ast.Call(_name(node.name), arguments[1:], [])


class _Put(ast.NodeTransformer):
    def __init__(self, given: dict[str, ast.expr], values: dict[str, Any], above: list[str]) -> None:
        self.given, self.values, self.above = given, values, above

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.given:
            return deepcopy(self.given[node.id])
        return literal(self.values[node.id]) if node.id in self.values else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.slice, ast.Name) and node.slice.id in self.values:
            return ast.Subscript(self.visit(node.value), _index(self.values[node.slice.id]))
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        f = node.func
        if isinstance(f, ast.Call) and isinstance(f.func, ast.Name) and f.func.id == "getattr":
            which = f.args[1]
            if isinstance(which, ast.Name) and which.id in self.values:
                node.func = ast.Attribute(f.args[0], self.values[which.id])
        if isinstance(f, ast.Name) and callable(self.values.get(f.id)):
            return _written(self.values[f.id], [self.visit(a) for a in node.args], self.above)
        return self.generic_visit(node)  # type: ignore[return-value]
