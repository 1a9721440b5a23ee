"""An op's formula and both of its derivative rules, as LaTeX."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.mode import Reading, under
from ..core.node import DIFFERENTIABLE, TRACED, Node
from ..core.op import Op
from ..core.quiet import ignoring
from ..core.samples import Sample
from ..core.tensor import Tensor, rec, wrap
from ..core.walk import spread
from .notation import latex
from .terms import Formula, symbol
from .tracing import of_graph, of_rule
from .written import WRITTEN

_LONGEST = 60  # steps of a rule that is told as a formula


class Rules(NamedTuple):
    """Equations in LaTeX: the op itself, its arguments' cotangents, its tangent; without those that have no formula."""

    formula: str
    reverse: tuple[str, ...] = ()
    forward: str | None = None


def letters(op: Op) -> list[str]:
    """The arguments of an op as they are written: `x_1` for x1."""
    names = op.array_names if op.arity in (None, len(op.array_names)) else [f"x{k + 1}" for k in range(op.arity or 0)]
    return [re.sub(r"^([A-Za-z]+?)_?(\d+)$", r"\1_{\2}", n) if len(n) < 4 else rf"\mathrm{{{n}}}".replace("_", r"\_")
            for n in names]  # fmt: skip


def accented(accent: str, name: str) -> str:
    """A name under a bar or a dot, beside which its index stands."""
    base, mark, index = name.partition("_{")
    return rf"\{accent}{{{base}}}{mark}{index}" if mark else rf"\{accent}{{{name}}}"


def formula(op: Op) -> str:
    """An op's formula with its own names."""
    own = {n: rf"\mathrm{{{n}}}".replace("_", r"\_") for n in op.param_names}
    places = max((int(k) for k in re.findall(r"(?<!\{)\{(\d+)\}", op.latex)), default=0) + 1
    names = letters(op)
    names += [f"x_{{{k + 1}}}" for k in range(len(names), places)]
    return op.latex.format(*names, **own)


@functools.cache
def rules(op: Op) -> Rules:
    """The op's rules as they are written in its declaration, or, where that is a program, as a book writes them."""
    if op.name in WRITTEN:
        book = WRITTEN[op.name]
        return Rules(book.formula, tuple(f"{bar} = {f}" for bar, f in book.reverse), book.forward)
    result = "z" if "y" in letters(op) else "y"
    found = Rules(f"{result} = {formula(op)}")
    if op.constant or op.many or op.arity is None or op.samples is None:
        return found
    sample = _small(op)
    if sample is None:
        return found
    args, params = sample
    names = [symbol(n, np.shape(a)) for n, a in zip(letters(op), args, strict=True)]
    with ignoring():
        try:
            y = np.asarray(op.forward(*args, **params))[()]
        except Exception:  # an op of rules may insist on what no sample of ours has
            return found
        forward, steps = _forward(op, args, params, y, names, result)
        if steps > _LONGEST:
            return found
        reverse = {
            n: _reverse(op, args, params, y, names, k, result) for k, n in enumerate(letters(op)) if _varies(args[k])
        }
    told = tuple(rf"{accented('bar', n)} = {f}" for n, f in reverse.items() if f is not None)
    return Rules(found.formula, told, None if forward is None else rf"\dot{{{result}}} = {forward}")


def _varies(a: Any) -> bool:
    return np.asarray(a).dtype.kind in "fc"


def _small(op: Op) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Arguments for which formulas come out as one writes them: numbers for what goes by elements."""
    for s in op.samples() if op.samples is not None else ():
        args = s.args[: op.arity]
        if not isinstance(s, Sample) or len(args) != op.arity:
            continue
        arrays = [np.asarray(a) for a in args]
        if any(a.dtype.kind not in "fiub" or not a.size for a in arrays) or not any(map(_varies, arrays)):
            continue
        params = {**op.defaults, **s.params}
        params.update(zip([n for n in op.param_names if n not in params], s.args[op.arity or 0 :], strict=False))
        if op.kind == "elementwise":
            return tuple(a.reshape(-1)[0] for a in arrays), params
        return tuple(a[()] for a in arrays), params
    return None


def _unnamed(data: Any) -> Formula:
    return symbol(r"\mathrm{const}", np.shape(data))


def _reverse(
    op: Op, args: Sequence[Any], params: Any, y: Any, names: Sequence[Formula], k: int, result: str
) -> str | None:
    nodes = [Node(a, live=DIFFERENTIABLE) for a in args]
    node = Node(y, op, tuple(nodes), params, DIFFERENTIABLE)
    bar = symbol(rf"\bar{{{result}}}", np.shape(y))
    found = of_rule(node, (k,), bar, np.ones_like(y), symbol(result, np.shape(y)), tuple(names), _unnamed)
    return None if found is None else latex(found)


def _forward(
    op: Op, args: Sequence[Any], params: Any, y: Any, names: Sequence[Formula], said: str
) -> tuple[str | None, int]:
    """The formula of the tangent, and of how many steps it is."""
    if op.jvp is None:
        return None, 0
    known: dict[Node, Formula] = {}

    def fresh(data: Any, e: Formula) -> Tensor:
        node = Node(data, live=DIFFERENTIABLE | TRACED if _varies(data) else TRACED)
        known[node] = e
        return wrap(node)

    operands = [fresh(a, e) for a, e in zip(args, names, strict=True)]
    dots = [symbol(accented("dot", n), np.shape(a)) for n, a in zip(letters(op), args, strict=True)]
    tangents = [fresh(np.ones_like(a), e) if _varies(a) else None for a, e in zip(args, dots, strict=True)]
    try:
        result = fresh(y, symbol(said, np.shape(y)))
        t = under(Reading(True, None), op.jvp, rec, tangents, result, *operands, **params)
        if not isinstance(t, Tensor):
            return None, 0
        steps = _steps(t.node, known)
        if steps > _LONGEST:
            return None, steps
        return latex(of_graph(under(Reading(True, None), spread, rec, t, y).node, known, _unnamed)), steps
    except Exception:  # a rule for plain arrays only
        return None, 0


def _steps(result: Node, known: dict[Node, Formula]) -> int:
    seen, stack = {result}, [result]
    while stack:
        n = stack.pop()
        below = [i for i in n.inputs if n not in known and i not in seen]
        seen.update(below)
        stack += below
    return len(seen)
