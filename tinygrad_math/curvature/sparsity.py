"""Sparse Jacobians and Hessians: the pattern once, then as many products as the pattern has colours."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from ..compiler import compile
from ..core.arguments import named
from ..core.errors import ArgumentError, MissingExtra, describe
from ..core.tensor import as_tensor, rec
from ..core.tree import flatten
from ..transforms.batching.trace import Recording
from ..transforms.matrices import gradient_tape
from ..transforms.tracing import Tape
from .colouring import column_colours, entries, star_colours
from .operators import Array, Flat, array_of
from .structure import dependence

Fn = Callable[..., Any]
sparse: Any = scipy.sparse  # of SciPy's optional stubs

__all__ = ["Pattern", "sparse_hessian", "sparse_jacobian", "sparsity"]

_PIECES = 8  # rows so full that each is had more cheaply by a product of its own


class Pattern(sparse.csr_array):  # type: ignore[misc]
    """Where a matrix of derivatives can be other than 0: a boolean SciPy array that knows its colours.

    `kind` is "hessian" or "jacobian"; `products` says how many walks its values take; `blocks` numbers the independent
    parts of the arguments; `text()` prints it in a terminal, `plot()` draws it.
    """

    kind: Literal["hessian", "jacobian"] = "jacobian"
    colours: Array
    full: Array  # the rows of a Jacobian that are found by a product each

    @classmethod
    def of(cls, matrix: Any, kind: Literal["hessian", "jacobian"]) -> Pattern:
        pattern = cls(sparse.csr_array(matrix, dtype=bool))
        pattern.sort_indices()
        pattern.kind, pattern.full = kind, np.zeros(0, int)
        if kind == "hessian":
            pattern.colours = star_colours(pattern)
            if _number(pattern.colours) > np.diff(pattern.indptr).max(initial=0):  # the least that whole columns take
                pattern.colours = min(pattern.colours, column_colours(pattern), key=_number)
            return pattern
        pattern.colours = column_colours(pattern)
        counts = np.diff(pattern.indptr)
        order = np.argsort(-counts, kind="stable")[:_PIECES]
        for k in range(1, len(order) + 1):  # a few full rows may cost all columns their company
            if counts[order[k - 1]] <= k:
                break
            rest = np.ones(pattern.shape[0], bool)
            rest[order[:k]] = False
            colours = column_colours(sparse.csr_array(pattern)[rest])
            if _number(colours) + k < pattern.products:
                pattern.colours, pattern.full = colours, np.sort(order[:k])
        return pattern

    @property
    def products(self) -> int:
        """How many products with vectors give all values."""
        return _number(self.colours) + len(self.full)

    @property
    def blocks(self) -> Array:
        """For each argument the number of the independent part of the function that it belongs to."""
        base = sparse.csr_array(self, dtype=np.int32)
        links = base if self.kind == "hessian" else base.T @ base
        return np.asarray(connected_components(links, directed=False)[1])

    def text(self, width: int = 60) -> str:
        """The pattern in characters, shrunk to so many columns: `█` where some entry may differ from 0."""
        m, n = self.shape
        step = max(1, -(-max(m, n) // width))
        rows, columns = self.nonzero()
        grid = np.full((max(1, -(-m // step)), max(1, -(-n // step))), "·")
        grid[rows // step, columns // step] = "█"
        head = (
            f"{self.kind} {m}x{n}, {self.nnz} entries ({100 * self.nnz / max(m * n, 1):.3g}%), {self.products} products"
        )
        return "\n".join([head, *("".join(row) for row in grid)])

    def plot(self) -> Any:
        """A matplotlib figure of the pattern. Raises MissingExtra."""
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtra("plot() needs matplotlib: pip install matplotlib, or the extra [viz]") from error
        fig = Figure(figsize=(4.5, 4.5), layout="constrained")
        ax = fig.add_subplot()
        ax.spy(sparse.csr_array(self), markersize=max(0.5, min(8.0, 200 / max(self.shape))), color="#0072b2")
        ax.set_title(f"{self.kind}: {self.nnz} entries, {self.products} products", fontsize=10)
        return fig

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<Pattern of a {self.kind}, {m}x{n}: {self.nnz} entries, {self.products} products>"


def _number(colours: Array) -> int:
    return int(colours.max(initial=-1)) + 1


def _tape(f: Fn, x: Any, kind: str) -> Tape:
    if kind == "hessian":
        return gradient_tape(f, [x], "sparse_hessian")
    return Tape(f, [x], "sparse_jacobian")


@named
def sparsity(f: Fn, x: Any, kind: Literal["hessian", "jacobian"] | None = None) -> Pattern:
    """The pattern of the Hessian of f, which returns one number, or of the Jacobian of f, which returns more.

    Arguments: `x` a tree or Module of n real numbers; `kind` "hessian" or "jacobian", if it is not to follow from
    what f returns. The pattern is of the function as it was run at x, and holds at every x at which it runs alike;
    constant factors count by their zeros, values that depend on x never do.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> print(tm.curvature.sparsity(lambda x: (x[1:] * x[:-1]).sum(), np.ones(4)).text())
    hessian 4x4, 6 entries (37.5%), 2 products
    ·█··
    █·█·
    ·█·█
    ··█·
    """
    if kind is None:
        outputs = Tape(f, [x], "sparsity").outputs
        kind = "hessian" if len(outputs) == 1 and not outputs[0].shape else "jacobian"
    tape = _tape(f, x, kind)
    matrix = dependence(tape)
    if kind == "hessian":
        matrix = matrix + matrix.T
    return Pattern.of(matrix, kind)


_known: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def _cache(f: Fn) -> dict[Any, Any]:
    """What is kept for a function as long as it lives."""
    try:
        return _known.setdefault(f, {})
    except TypeError:  # it cannot be referred to weakly
        return {}


class _Kept:
    """A pattern, and the compiled products with its seeds."""

    def __init__(self, f: Fn, x: Any, kind: str, pattern: Pattern) -> None:
        self.pattern = pattern
        flat = Flat(x, f"sparse_{kind}")
        count = _number(pattern.colours)
        vectors = np.zeros((count, flat.size))
        used = pattern.colours >= 0
        vectors[pattern.colours[used], np.flatnonzero(used)] = 1
        self.flat, self.seeds = flat, flat.split(vectors)
        self.count, self.kind, self.f = count, kind, f
        self.program: Any = None
        if kind == "hessian":
            self.at = entries(pattern, pattern.colours)
        else:
            coo = sparse.coo_array(pattern)
            i, j = coo.coords
            keep = ~np.isin(i, pattern.full)
            self.at = (i[keep], j[keep], pattern.colours[j[keep]], i[keep])

    def products(self, x: Any, compiled: bool) -> tuple[Array, list[Array]]:
        """The product with each colour, (colours, m), and the full rows."""
        if not compiled:
            return self._walk(_tape(self.f, x, self.kind))
        if self.program is None:
            self.program = compile(lambda x, seeds: self._joined(_tape(self.f, x, self.kind), seeds))
        if len(self.pattern.full):
            raise ArgumentError("sparse_jacobian: a pattern with full rows is not compiled; say compiled=False")
        return array_of(self.program(x, self.seeds), f"sparse_{self.kind}"), []

    def _pushed(self, tape: Tape, seeds: list[Any]) -> list[Any]:
        if not self.count:
            return [as_tensor(np.zeros((0, *y.shape))) for y in tape.outputs]
        given = [as_tensor(s) for s in seeds]
        found = Recording(tape.push, given, "sparse").run(given, self.count)
        return [y if moves else rec.broadcast_to(y, (self.count, *as_tensor(y).shape)) for y, moves in found]

    def _joined(self, tape: Tape, seeds: list[Any]) -> Any:
        parts = [rec.reshape(y, (self.count, math.prod(y.shape[1:]))) for y in self._pushed(tape, seeds)]
        return parts[0] if len(parts) == 1 else rec.concat(parts, axis=1)

    def _walk(self, tape: Tape) -> tuple[Array, list[Array]]:
        products = self._joined(tape, self.seeds)
        ends = np.cumsum([0, *(y.size for y in tape.outputs)]).tolist()
        rows = []
        for r in self.pattern.full.tolist():
            unit = np.zeros(ends[-1])
            unit[r] = 1
            cotangents = [
                as_tensor(unit[a:b].reshape(y.shape).astype(y.dtype)) for a, b, y in zip(ends, ends[1:], tape.outputs)
            ]
            rows.append(self.flat.join(tape.pull(cotangents)))
        return array_of(products, f"sparse_{self.kind}"), rows

    def matrix(self, x: Any, compiled: bool) -> Any:
        products, rows = self.products(x, compiled)
        if products.shape[1] != self.pattern.shape[0]:
            raise ArgumentError(
                f"sparse_{self.kind}: the pattern has {self.pattern.shape[0]} rows, and f gives "
                f"{products.shape[1]} numbers"
            )
        i, j, colour, place = self.at
        values = products[colour, place]
        if rows:
            full = sparse.coo_array(sparse.csr_array(self.pattern)[self.pattern.full])
            a, b = full.coords
            i, j = np.concatenate([i, self.pattern.full[a]]), np.concatenate([j, b])
            values = np.concatenate([values, np.stack(rows)[a, b]])
        return sparse.csr_array((values, (i, j)), shape=self.pattern.shape)


def _derivative(f: Fn, x: Any, kind: Literal["hessian", "jacobian"], pattern: Any, compiled: bool) -> Any:
    if not callable(f):
        raise ArgumentError(f"sparse_{kind} takes a function, got {describe(f)}")
    leaves, structure = flatten(x)
    shapes = tuple((np.shape(as_tensor(leaf)), as_tensor(leaf).dtype.str) for leaf in leaves)
    cache, key = _cache(f), (kind, structure, shapes)
    if pattern is not None:
        pattern = pattern if sparse.issparse(pattern) else np.atleast_2d(array_of(pattern, f"sparse_{kind}") != 0)
        shape = (pattern.shape[0], sum(int(np.prod(s, dtype=int)) for s, _ in shapes))
        if tuple(pattern.shape) != shape or (kind == "hessian" and shape[0] != shape[1]):
            raise ArgumentError(
                f"sparse_{kind}: the pattern {tuple(pattern.shape)} does not fit x, with {shape[1]} numbers"
            )
        given = pattern if isinstance(pattern, Pattern) and pattern.kind == kind else Pattern.of(pattern, kind)
        found = cache.get("given")
        if found is None or found.pattern is not given:
            found = cache["given"] = _Kept(f, x, kind, given)
        matrix = found.matrix(x, compiled)
        if not _agrees(f, x, kind, matrix, found.flat):
            raise ArgumentError(
                f"sparse_{kind}: the pattern has no entry where the {kind} is not 0, or it is of another function; "
                "sparsity(f, x) finds it"
            )
        return matrix
    kept = cache.get(key)
    if kept is None:
        kept = cache[key] = _Kept(f, x, kind, sparsity(f, x, kind))
        return kept.matrix(x, compiled)
    matrix = kept.matrix(x, compiled)
    if not _agrees(f, x, kind, matrix, kept.flat):  # what f closes over has changed
        kept = cache[key] = _Kept(f, x, kind, sparsity(f, x, kind))
        matrix = kept.matrix(x, compiled)
    return matrix


def _agrees(f: Fn, x: Any, kind: str, matrix: Any, flat: Flat) -> bool:
    """Whether a product with a random vector is that of the function: a pattern that had become too small shows."""
    v = np.random.default_rng(len(matrix.data)).uniform(0.5, 1.5, flat.size)
    pushed = _tape(f, x, kind).push([as_tensor(leaf) for leaf in flat.split(v)])
    if sum(t.size for t in pushed) != matrix.shape[0]:
        return False
    true = np.concatenate([np.zeros(0), *(np.ravel(array_of(t, f"sparse_{kind}")) for t in pushed)])
    size = np.abs(matrix) @ np.abs(v) + np.abs(true)
    with np.errstate(invalid="ignore"):
        return not bool(np.any(np.abs(matrix @ v - true) > 1e-5 * size + 1e-300))


@named
def sparse_hessian(f: Fn, x: Any, pattern: Any = None, compiled: bool = False) -> Any:
    """The Hessian of f at x as a SciPy sparse array (n, n), from as many products as its pattern has colours.

    Arguments: `f(x)` gives one number; `x` a tree or Module of n real numbers; `pattern` of `sparsity(f, x)`, or any
    sparse array that has an entry wherever the Hessian may differ from 0; without it the pattern is found at the first
    call, kept for this function and these shapes, and checked at later calls by one product. `compiled` keeps the
    products as one program too. Raises NonScalarError, ArgumentError.
    Formula: H S, with a column of S for each colour, tells every entry of H apart.
    Source: Gebremedhin, Manne, Pothen 2005, "What color is your Jacobian?".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> f = lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    >>> H = tm.curvature.sparse_hessian(f, np.ones(1000))
    >>> H.shape, H.nnz
    ((1000, 1000), 2998)
    """
    return _derivative(f, x, "hessian", pattern, compiled)


@named
def sparse_jacobian(f: Fn, x: Any, pattern: Any = None, compiled: bool = False) -> Any:
    """The Jacobian of f at x as a SciPy sparse array (m, n). Arguments as for `sparse_hessian`.

    A few full rows are found by a product each, so that they do not keep the columns apart.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.curvature.sparse_jacobian(lambda x: x[1:] * x[:-1], np.array([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    return _derivative(f, x, "jacobian", pattern, compiled)
