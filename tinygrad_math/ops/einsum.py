"""Sums of products by an index formula."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, MathError, ShapeError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["einsum"]


@general(
    arity=None,
    latex=r"\operatorname{{einsum}}_{{{subscripts}}}({0}, \dots)",
    shape="the sizes of the letters behind the arrow",
    samples=lambda: [
        sample([real(2, 3), real(3, 4)], subscripts="ij,jk->ik"),
        sample([real(2, 3), real(2, 3, key=1)], subscripts="ij,ij->"),
        sample([real(2, 3), real(3), real(3, 2)], subscripts="ij,j,ji->i"),
        sample([real(2, 3, 4)], subscripts="ijk->kj"),
        sample([real(2, 3), real(4)], subscripts="ij,k->ki"),
        sample([real(2, 1), real(2, 3)], subscripts="ij,ij->i"),
        sample([real(), real(3)], subscripts=",i->i"),
        sample([real(0, 2), real(2)], subscripts="ij,j->i"),
        sample([complexes(2, 3), complexes(3, key=1)], subscripts="ij,j->i"),
        sample([real(2, 3), complexes(3)], subscripts="ij,j->i"),
    ],
)
def contract(arrays: Any, /, *, subscripts: str) -> Any:
    """einsum in its plainest form: explicit, one letter for each axis, none twice within an array."""
    names, _ = subscripts.split("->")
    sizes = {c: n for term, a in zip(names.split(","), arrays, strict=True) for c, n in zip(term, np.shape(a))}
    work = prod(sizes.values())
    return np.einsum(subscripts, *arrays, optimize=work > 10_000 and len(arrays) > 1)  # BLAS, where it pays


@contract.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, *arrays: Any, subscripts: str) -> Any:
    terms, result = subscripts.split("->")
    letters = terms.split(",")
    out: list[Any] = []
    for k, (own, x) in enumerate(zip(letters, arrays, strict=True)):
        if not need[k]:
            out.append(None)
            continue
        others = [(t, a) for i, (t, a) in enumerate(zip(letters, arrays, strict=True)) if i != k]
        known = set(result).union(*(t for t, _ in others))
        found = "".join(c for c in own if c in known)
        rest = [xp.conj(a) if y.dtype.kind == "c" else a for _, a in others]
        term = ",".join([result, *(t for t, _ in others)])
        part = xp.contract([g, *rest], subscripts=f"{term}->{found}")
        gone = tuple(d for d, c in enumerate(own) if c not in known)  # summed away: every element counts alike
        if gone:
            part = xp.expand_dims(part, gone)
        full = tuple(n if m == 1 else m for m, n in zip(part.shape, x.shape, strict=True))
        if part.shape != full:
            part = xp.broadcast_to(part, full)
        out.append(part)
    return out


@contract.defjvp
def _(xp: Any, ts: Any, y: Any, *arrays: Any, subscripts: str) -> Any:
    total = None
    for k, t in enumerate(ts):
        if t is not None:
            part = xp.contract([*arrays[:k], t, *arrays[k + 1 :]], subscripts=subscripts)
            total = part if total is None else total + part
    return total


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@derived
def einsum(*operands: Any, optimize: bool | str | Sequence[Any] | None = None) -> Any:
    """The sum of products that an index formula describes: any that NumPy takes.

    Arguments: `einsum("ij,jk->ik", a, b)` or `einsum(a, [0, 1], b, [1, 2], [0, 2])`; with ellipses, repeated
    letters (diagonals), and without an arrow (letters that appear once, in order). `optimize` is NumPy's and
    means nothing here: BLAS is used where it pays. Raises ShapeError, ArgumentError. The cotangent of an array
    is the same formula with g in its place.

    >>> import tinygrad_math as tm
    >>> tm.einsum("ii", tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    formula, arrays = _formula(operands)
    xs = [as_tensor(a) for a in arrays]
    try:
        names, result = _explicit(formula, tuple(x.ndim for x in xs))
    except MathError as error:
        raise type(error)(f"einsum('{formula}', {', '.join(map(describe, xs))}): {error}") from error
    terms = list(names)
    for k, term in enumerate(terms):
        while len(set(term)) < len(term):  # a repeated letter reads a diagonal
            xs[k], term = _diagonal(xs[k], term, formula)
        terms[k] = term
    return rec.contract(xs, subscripts=f"{','.join(terms)}->{result}")


def _formula(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Both ways of calling einsum as a formula and its arrays."""
    if not operands:
        raise ArgumentError("einsum needs a formula and arrays: einsum('ij,j->i', a, x)")
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])
    arrays, lists = list(operands[0 : len(operands) - 1 : 2]), list(operands[1::2])
    formula = ",".join(map(_letters, lists))
    if len(operands) % 2:
        formula += "->" + _letters(operands[-1])
    return formula, arrays


def _letters(numbers: Any) -> str:
    if not isinstance(numbers, (list, tuple)) or any(k is not Ellipsis and not 0 <= k < 52 for k in numbers):
        raise ArgumentError(f"einsum: axes are named by a list of ints from 0 to 51 and Ellipsis, got {numbers!r}")
    return "".join("..." if k is Ellipsis else _LETTERS[k] for k in numbers)


@lru_cache(maxsize=256)
def _explicit(formula: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The letters of each array and of the result, with ellipses spelled out."""
    left, arrow, right = formula.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ArgumentError(f"the formula names {len(terms)} arrays, {len(ranks)} were given")
    for term in (*terms, right):
        if not all(c in _LETTERS for c in term.replace("...", "", 1)):
            raise ArgumentError(f"{term!r} has other signs than letters and one ellipsis")
    wide = [n - len(t.replace("...", "")) for t, n in zip(terms, ranks, strict=True)]
    for term, n, extra in zip(terms, ranks, wide, strict=True):
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"{term!r} names {n - extra} axes of an array that has {n}")
    free = [c for c in reversed(_LETTERS) if c not in formula]
    dots = "".join(free[: max((w for t, w in zip(terms, wide, strict=True) if "..." in t), default=0)])
    terms = [t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, wide, strict=True)]
    joined = "".join(terms)
    if arrow:
        result = right.replace("...", dots)
    else:
        result = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    if len(set(result)) < len(result) or not set(joined).issuperset(result):
        raise ArgumentError("each letter behind the arrow stands once, and in some array")
    if not set(result).issuperset(dots):
        raise ArgumentError("the ellipsis is missing behind the arrow")
    return tuple(terms), result


def _diagonal(x: Tensor, term: str, formula: str) -> tuple[Any, str]:
    """The array with the first repeated letter's axes replaced by their diagonal, at the end."""
    c = next(c for c in term if term.count(c) > 1)
    i = term.index(c)
    j = term.index(c, i + 1)
    if x.shape[i] != x.shape[j]:
        raise ShapeError(
            f"einsum('{formula}'): the axes {c!r} of {describe(x)} have sizes {x.shape[i]} and {x.shape[j]}"
        )
    return rec.diagonal(x, axis1=i, axis2=j), term[:i] + term[i + 1 : j] + term[j + 1 :] + c
