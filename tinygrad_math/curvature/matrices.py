"""A matrix of derivatives that is never formed, as one of SciPy's LinearOperators over the numbers of a tree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator

from ..core.errors import ArgumentError, DTypeError, ShapeError, TraceError, describe
from ..core.node import check_fresh, unknown
from ..core.tensor import as_tensor, rec
from ..core.tree import flatten, paths, show, unflatten
from ..transforms.batching.trace import Recording
from ..transforms.matrices import rows_at_once
from ..transforms.tracing import Tape

Array = np.ndarray[Any, Any]
Fn = Callable[..., Any]
Piece = tuple[float, Any, dict[str, Recording]]
Products = Callable[[list[Any]], list[Any]]  # of trees of tangents, as lists of leaves


def array_of(leaf: Any, asker: str) -> Array:
    """The numbers of a leaf, which leave the recorded world: no derivative follows them, and no trace knows them.

    Raises NeedsDetach for what a running transform differentiates, whose gradient would be lost.
    """
    x = as_tensor(leaf)
    if unknown(x.node):
        raise TraceError(
            f"{asker} computes with NumPy's arrays, and {describe(x)} has no values while it is traced by vmap or "
            "compile; use hvp, jvp, vjp or hessian inside of it"
        )
    x._leave(asker, "Use hvp, jvp, vjp or hessian inside of a transform.")
    return np.asarray(x.node.data)


def function_of(f: Any, asker: str) -> Fn:
    """A function among the arguments."""
    if not callable(f):
        raise ArgumentError(f"{asker} takes a function, got {describe(f)}")
    return f  # type: ignore[no-any-return]


def _as_array(vectors: Any, asker: str) -> Any:
    """Vectors that come in something else than an array: a list, a Tensor, a sparse matrix."""
    if issparse(vectors):
        return vectors
    try:
        return array_of(vectors, asker)
    except DTypeError as error:
        raise DTypeError(f"{asker} is multiplied by arrays; for a tree like x take its vector(tree): {error}") from None


def number_of(value: Any, asker: str, name: str) -> float:
    """A real number among the arguments."""
    x = array_of(value, asker)
    if x.shape or x.dtype.kind not in "iuf":
        raise ArgumentError(f"{asker}: {name} is a real number, got {describe(value)}")
    return float(x)


def one_of(value: Any, words: tuple[str, ...], asker: str, name: str) -> str:
    """A word among the arguments."""
    if not isinstance(value, str) or value not in words:
        raise ArgumentError(f"{asker}: {name} is one of {', '.join(words)}, got {describe(value)}")
    return value


class Flat:
    """A tree of real arrays as one vector, as they are now, and the names of its numbers."""

    def __init__(self, tree: Any, asker: str) -> None:
        leaves, self.structure = flatten(tree)
        self.leaves = [np.array(array_of(leaf, asker)) for leaf in leaves]
        for leaf in self.leaves:
            if leaf.dtype.kind != "f":
                raise DTypeError(f"{asker} is over real floating numbers, got {describe(leaf)}; use astype(float)")
        self.ends = np.cumsum([0, *(a.size for a in self.leaves)]).tolist()
        self.size: int = self.ends[-1]
        self.dtype = np.result_type(*(a.dtype for a in self.leaves)) if self.leaves else np.dtype(float)

    def split(self, vectors: Any) -> list[Any]:
        """The leaves of a vector, or of many along the first axis."""
        x = array_of(vectors, "a vector of a tree")
        if x.dtype.kind not in "biuf" or not x.ndim or x.shape[-1] != self.size:
            raise ShapeError(f"a vector of this tree holds {self.size} real numbers, got {describe(x)}")
        front = x.shape[:-1]
        return [
            x[..., a:b].reshape((*front, *leaf.shape)).astype(leaf.dtype, order="C")
            for a, b, leaf in zip(self.ends, self.ends[1:], self.leaves)
        ]

    def join(self, leaves: Sequence[Any], count: int | None = None) -> Array:
        """The vector of some leaves; with a count, a row for each of so many."""
        front = () if count is None else (count,)
        arrays = [array_of(leaf, "a product") for leaf in leaves]
        parts = [a.reshape((*front, math.prod(a.shape[len(front) :]))) for a in arrays]
        return np.concatenate(parts, axis=-1) if parts else np.zeros((*front, 0))

    @property
    def names(self) -> list[str]:
        out = []
        for path, leaf in zip(paths(self.structure), self.leaves, strict=True):
            title = path or "x"
            for index in itertools.product(*map(range, leaf.shape)):
                out.append(f"{title}[{','.join(map(str, index))}]" if index else title)
        return out


class Derivatives(LinearOperator):
    """A matrix of derivatives, known by its products: the base of the operators of this room.

    `columns` and `rows` say what the numbers of its two sides are: `.names`, `.split`, `.join`. `x` is where the
    derivatives are taken, whatever becomes of the arrays that were given.
    """

    def __init__(self, rows: Flat, columns: Flat, batches: Iterable[Any] | None) -> None:
        if isinstance(batches, tuple) and batches and all(hasattr(part, "shape") for part in batches):
            raise ArgumentError(
                f"{type(self).__name__}: data is an iterable of batches, and a tuple of arrays is one batch; give "
                "[batch], or a DataLoader"
            )
        self.rows, self.columns, self.batches = rows, columns, batches
        self.x = unflatten(columns.structure, [as_tensor(a) for a in columns.leaves])
        self._prepared: list[Piece] | None = None
        self.far: Any = None  # the products over a cluster: a function of x and of a tree like x
        base: Any = super()
        base.__init__(np.result_type(rows.dtype, columns.dtype, float), (rows.size, columns.size))

    # -- what a kind of matrix says of itself ------------------------------------------------------------
    def _tape(self, batch: tuple[Any, ...]) -> Any:
        """What is recorded once, for any number of products: of one batch, or of the whole function."""
        raise NotImplementedError

    def _forth(self, recorded: Any) -> Products:
        raise NotImplementedError

    def _back(self, recorded: Any) -> Products:
        return self._forth(recorded)

    # -- what follows ------------------------------------------------------------------------------------
    def _pieces(self) -> Iterator[Piece]:
        """Each batch's share of the mean, what was recorded of it, and of its walks with many vectors at once."""
        if self.batches is None:
            if self._prepared is None:
                self._prepared = [(1.0, self._tape(()), {})]
            yield from self._prepared
            return
        if iter(self.batches) is self.batches:
            raise ArgumentError(
                f"{type(self).__name__}: data is run through at every product, and an iterator only once; give a list "
                "or a DataLoader"
            )
        sizes = [count_of(batch) for batch in self.batches]
        total = sum(sizes)
        if not total:
            raise ArgumentError(f"{type(self).__name__}: data holds no examples")
        for size, batch in zip(sizes, self.batches, strict=True):
            yield size / total, self._tape((batch,)), {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_prepared": None}  # a copy records anew what it needs

    def _given(self, vectors: Any, side: Flat) -> Any:
        """What this is multiplied by, as an array of the right shape."""
        x = vectors if isinstance(vectors, np.ndarray) else _as_array(vectors, type(self).__name__)
        if x.ndim not in (1, 2) or x.shape[0] != side.size:
            raise ShapeError(
                f"{type(self).__name__} of shape {self.shape} is multiplied by vectors of {side.size} numbers, or by "
                f"matrices with these as columns, got {describe(vectors)}"
            )
        return x

    def dot(self, x: Any) -> Any:
        """The product with a vector, a matrix, a number or another operator, as SciPy has it."""
        known: Any = isinstance(x, LinearOperator) or np.isscalar(x)
        return super().dot(x if known else self._given(x, self.columns))

    def matvec(self, x: Any) -> Any:
        """The product with a vector, (n,) or (n, 1)."""
        return super().matvec(self._given(x, self.columns))

    def matmat(self, X: Any) -> Any:
        """The product with the columns of a matrix, (n, k)."""
        return super().matmat(self._given(X, self.columns))

    def rmatvec(self, x: Any) -> Any:
        """The product of the transpose with a vector, (m,) or (m, 1)."""
        return super().rmatvec(self._given(x, self.rows))

    def rmatmat(self, X: Any) -> Any:
        """The product of the transpose with the columns of a matrix, (m, k)."""
        return super().rmatmat(self._given(X, self.rows))

    def _adjoint(self) -> Derivatives:
        return Transposed(self)

    _transpose = _adjoint

    def _matmat(self, vectors: Array) -> Array:
        return self._product(self._forth, self.columns, self.rows, np.asarray(vectors))

    def _rmatmat(self, vectors: Array) -> Array:
        return self._product(self._back, self.rows, self.columns, np.asarray(vectors))

    def _matvec(self, vector: Array) -> Array:
        return self._matmat(np.reshape(vector, (np.size(vector), 1)))[:, 0]

    def _rmatvec(self, vector: Array) -> Array:
        return self._rmatmat(np.reshape(vector, (np.size(vector), 1)))[:, 0]

    def _product(self, walk: Callable[[Any], Products], given: Flat, wanted: Flat, vectors: Array) -> Array:
        if np.iscomplexobj(vectors):
            raise DTypeError(f"{type(self).__name__} is real, and was given a complex vector; take both parts of it")
        count = vectors.shape[1]
        total = np.zeros((count, wanted.size), self.dtype)
        if self.far is not None:
            for row, vector in zip(total, vectors.T, strict=True):
                row += wanted.join(flatten(self.far(self.x, self.tree(vector)))[0])
            return total.T
        for share, recorded, walks in self._pieces():
            step = walk(recorded)
            if count == 1:
                total[0] += share * wanted.join(step(list(map(as_tensor, given.split(vectors[:, 0])))))
                continue
            tapes = recorded if isinstance(recorded, tuple) else (recorded,)
            trails = [tape.trail for tape in tapes if isinstance(tape, Tape)]
            width = rows_at_once(*trails)
            if walks:  # which do not look again
                for n in itertools.chain.from_iterable(trail.nodes for trail in trails):
                    if n.op is not None and all(n not in trail.goal for trail in trails):
                        check_fresh(n)
            for start in range(0, count, width):
                rows = min(width, count - start)
                part = slice(start, start + rows)
                seeds = [as_tensor(leaf) for leaf in given.split(vectors.T[part])]
                if walk.__name__ not in walks:
                    walks[walk.__name__] = Recording(step, seeds, type(self).__name__)
                found = walks[walk.__name__].run(seeds, rows)
                leaves = [y if moves else rec.broadcast_to(y, (rows, *as_tensor(y).shape)) for y, moves in found]
                total[part] += share * wanted.join(leaves, rows)
        return total.T

    def to_dense(self) -> Array:
        """The matrix itself, (m, n): for tests, and for few numbers."""
        return np.asarray(self.matmat(np.eye(self.shape[1])))

    @property
    def names(self) -> list[str]:
        """What the rows belong to: `0.weight[2,3]`."""
        return self.rows.names

    def tree(self, vector: Any) -> Any:
        """A vector over the columns as a tree like x."""
        return unflatten(self.columns.structure, [as_tensor(v) for v in self.columns.split(vector)], values=False)

    def vector(self, tree: Any) -> Array:
        """A tree like x as a vector over the columns."""
        leaves, structure = flatten(tree)
        if [np.shape(as_tensor(leaf)) for leaf in leaves] != [leaf.shape for leaf in self.columns.leaves]:
            shapes = [", ".join(map(describe, found)) or "nothing" for found in (leaves, self.columns.leaves)]
            raise ShapeError(
                f"{type(self).__name__}: a tree like x is expected, {show(self.columns.structure)} of {shapes[1]}, "
                f"got {show(structure)} of {shapes[0]}"
            )
        return self.columns.join(leaves)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{type(self).__name__} {m}x{n} over {len(self.columns.leaves)} arrays>"


def count_of(batch: Any) -> int:
    """How many examples a batch holds: the length of its first array."""
    leaves = flatten(batch)[0]
    if not leaves or not np.shape(leaves[0]):
        raise ArgumentError(f"a batch holds arrays with an example in each row, got {describe(batch)}")
    return int(np.shape(leaves[0])[0])


def shards_of(data: Any, client: Any, asker: str) -> Any:
    """The shards on a cluster that the data are; None for batches in this process."""
    if client is None and not type(data).__module__.endswith(".distributed.cluster"):
        return None
    if data is None:
        raise ArgumentError(f"{asker}: client= takes data=, the shards that the matrix is the mean over")
    from .. import distributed  # Dask's side is opened where it is asked for

    return data if isinstance(data, distributed.Shards) else distributed.Shards(data, client)


class Transposed(Derivatives):
    """The transpose of a matrix of derivatives, over what its rows stand for."""

    def __init__(self, of: Derivatives) -> None:
        super().__init__(of.columns, of.rows, None)
        self.of = of

    def _matmat(self, vectors: Array) -> Array:
        return self.of._rmatmat(vectors)

    def _rmatmat(self, vectors: Array) -> Array:
        return self.of._matmat(vectors)

    def _adjoint(self) -> Derivatives:
        return self.of

    _transpose = _adjoint


class Symmetric(Derivatives):
    """A symmetric matrix of derivatives: the estimators and solvers for it are functions of this room."""

    def __init__(self, x: Any, batches: Any, client: Any = None) -> None:
        flat = Flat(x, type(self).__name__)
        shards = shards_of(batches, client, type(self).__name__)
        super().__init__(flat, flat, batches if shards is None else None)
        if shards is not None:
            self.far = self._far(shards)

    def _far(self, shards: Any) -> Callable[..., Any]:
        """The products of this matrix over a cluster's shards."""
        raise NotImplementedError

    def _adjoint(self) -> Symmetric:
        return self

    _transpose = _adjoint
