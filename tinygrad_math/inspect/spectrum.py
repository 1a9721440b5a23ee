"""`spectrum`: the eigenvalues of a Hessian, all of a small one, some of a large one that is never formed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, MatrixError, NoConvergence, describe
from ..core.looking import refuse_unknown
from ..core.opening import room
from ..core.tensor import Tensor
from ..core.tree import unflatten
from ..transforms.matrices import gradient_tape
from ..transforms.tracing import Tape
from .computation import same_stream, untouched

__all__ = ["Spectrum", "spectrum"]

EXACT = 512  # parameters up to which the whole matrix is formed
_SYMMETRY = 1e-4


class Spectrum:
    """Eigenvalues of a Hessian in ascending order, as `np.linalg.eigh` has them, and their vectors.

    `values` of shape (k,); `vectors` a list of trees like x, each of length 1; `exact` tells whether these are all;
    `size` is the number of parameters.
    """

    def __init__(self, values: Any, columns: Any, tape: Tape, exact: bool) -> None:
        self.values: np.ndarray[Any, Any] = values
        self.exact, self.size = exact, len(columns)
        self._columns, self._tape = columns, tape

    @property
    def vectors(self) -> list[Any]:
        """The eigenvectors as trees like x, in the order of the values."""
        return [self.vector(k) for k in range(len(self.values))]

    def vector(self, k: int) -> Any:
        """The eigenvector of `values[k]`, a tree like x."""
        if not -len(self.values) <= k < len(self.values):
            raise ArgumentError(f"spectrum: vector {k} of {len(self.values)}")
        leaves = [Tensor(a) for a in split(self._tape, self._columns[:, k])]
        return unflatten(self._tape.structure, leaves, values=False)[0]

    @property
    def negative(self) -> int:
        """How many of the values are below 0, beyond rounding: directions of descent at a point without slope."""
        return int(np.sum(self.values < -self._rounding))

    @property
    def condition(self) -> float:
        """The largest size over the smallest, inf for a singular Hessian; nan where only some values are known."""
        if not self.exact:
            return float("nan")
        sizes = np.abs(self.values)
        return float(sizes.max() / sizes.min()) if sizes.min() > self._rounding else float("inf")

    @property
    def _rounding(self) -> float:
        eps = max(float(np.finfo(n.data.dtype).eps) for n in self._tape.inputs)
        return 8 * eps * self.size * float(np.max(np.abs(self.values), initial=0.0))

    def __repr__(self) -> str:
        count = len(self.values)
        which = f"all {count}" if self.exact else f"{count} of {self.size}"
        numbers = [f"{v:.4g}" for v in self.values]
        shown = numbers if count <= 8 else [*numbers[:3], "...", *numbers[-3:]]
        flat = int(np.sum(np.abs(self.values) <= self._rounding))
        kinds = f"{self.negative} negative, {flat} zero, {count - self.negative - flat} positive"
        return f"Hessian spectrum, {which} eigenvalues: {', '.join(shown)} ({kinds})"

    def plot(self) -> Any:
        """A matplotlib Figure: the eigenvalues by rank and, where all are known, how they are distributed.

        Raises MissingExtra without matplotlib.
        """
        room("viz.pictures")
        from ..viz.pictures.canvas import BLUE, GREY, RED, figure

        fig, axes = figure(2 if self.exact else 1, size=4.2)
        below = self.values < 0
        rank = np.arange(1, len(self.values) + 1)
        for chosen, color, name in ((~below, BLUE, "positive or 0"), (below, RED, "negative")):
            if chosen.any():
                axes[0].plot(rank[chosen], self.values[chosen], "o", color=color, markersize=3.5, label=name)
        axes[0].axhline(0, color=GREY, linewidth=0.7)
        axes[0].set(xlabel="rank", ylabel="eigenvalue of the Hessian")
        scale = float(np.max(np.abs(self.values), initial=0.0))
        if scale and scale > 100 * float(np.median(np.abs(self.values))):
            axes[0].set_yscale("symlog", linthresh=scale * 1e-4)
            axes[0].set_ylim(4 * min(self.values.min(), -scale * 1e-5), 4 * self.values.max())
        axes[0].legend(frameon=False, fontsize=8)
        if self.exact:
            axes[1].hist(self.values, bins=min(60, max(8, self.size // 4)), color=BLUE, log=True)
            axes[1].set(xlabel="eigenvalue of the Hessian", ylabel="how many")
        which = "all" if self.exact else f"{len(self.values)} of {self.size}"
        fig.suptitle(f"Hessian spectrum, {which} eigenvalues, {self.negative} negative", fontsize=11)
        return fig


def split(tape: Tape, vector: Any) -> list[Any]:
    """A vector as arrays, one a leaf of the arguments."""
    out, at = [], 0
    for n in tape.inputs:
        size = int(np.size(n.data))
        out.append(np.asarray(vector[at : at + size], n.data.dtype).reshape(np.shape(n.data)))
        at += size
    return out


def joined(parts: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Arrays or Tensors, one a leaf, as one vector of float64."""
    return np.concatenate([np.ravel(getattr(getattr(p, "node", None), "data", p)).astype(np.float64) for p in parts])


@named
def spectrum(
    f: Callable[[Any], Any],
    x: Any,
    k: int | None = None,
    which: Literal["both", "largest", "smallest", "magnitude"] = "both",
    seed: int = 0,
) -> Spectrum:
    """The eigenvalues and eigenvectors of the Hessian of f at x.

    Arguments: `f` a function of x that returns one number; `x` a tree or module of real arrays; `k` how many values
    (all, for up to 512 parameters, else 10); `which` of them: from "both" ends, "largest", "smallest", or the largest
    in "magnitude"; `seed` of the vector that the iteration starts from. All values are those of the matrix; some of
    many are found by the Lanczos method from products H v alone, each of which costs about two gradients.

    Returns a Spectrum: `.values` ascending, `.vectors` as trees like x, `.negative`, `.condition`, `.plot()`.
    Raises NonScalarError, DTypeError for complex x, ArgumentError for a k beyond the number of parameters, MatrixError
    if the Hessian is not finite or not symmetric, NoConvergence, TraceError within a function that is being traced.
    Source: Lehoucq, Sorensen, Yang 1998, "ARPACK Users' Guide".

    >>> import tinygrad_math as tm
    >>> found = tm.inspect.spectrum(lambda x: x[0] ** 2 - 3.0 * x[1] ** 2, tm.tensor([1.0, 2.0]))
    >>> found
    Hessian spectrum, all 2 eigenvalues: -6, 2 (1 negative, 0 zero, 1 positive)
    >>> tm.abs(found.vector(0))
    tensor([0., 1.])
    """
    with same_stream():
        tape = gradient_tape(f, [untouched(x, "spectrum")], "spectrum")
    refuse_unknown((y.node for y in tape.outputs), "spectrum")
    for n in tape.inputs:
        if n.data.dtype.kind == "c":
            raise DTypeError(f"spectrum needs real arrays, got {describe(n.data)}; take x.real and x.imag")
    size = sum(int(np.size(n.data)) for n in tape.inputs)
    if not size:
        raise ArgumentError("spectrum: x has no numbers in it")
    if k is not None and not 1 <= k <= size:
        raise ArgumentError(f"spectrum: k={k} eigenvalues of a Hessian in {size} parameters")

    def product(v: Any) -> Any:
        return joined(tape.push(split(tape, np.ravel(v))))

    if size <= EXACT or (k is not None and 2 * k >= size):
        values, columns = _dense(product, size)
        keep = _chosen(values, k, which)
        return Spectrum(values[keep], columns[:, keep], tape, k is None or k == size)
    values, columns = _lanczos(product, size, k or 10, which, seed)
    return Spectrum(values, columns, tape, False)


def _dense(product: Callable[[Any], Any], size: int) -> tuple[Any, Any]:
    h = np.stack([product(e) for e in np.eye(size)], axis=1)
    _refuse(h)
    off = np.abs(h - h.T)
    if off.max() > _SYMMETRY * np.abs(h).max():
        i, j = (int(v) for v in np.unravel_index(int(off.argmax()), off.shape))
        raise MatrixError(
            f"spectrum: the Hessian is not symmetric: element ({i}, {j}) is {h[i, j]:.6g} and ({j}, {i}) is "
            f"{h[j, i]:.6g}. A point where f has no second derivative, or a wrong rule: inspect.audit() tells which op."
        )
    values, columns = np.linalg.eigh((h + h.T) / 2)
    return values, columns


def _refuse(h: Any) -> None:
    if not np.isfinite(h).all():
        raise MatrixError(
            "spectrum: the Hessian has elements that are NaN or infinite; inspect.detect_anomaly() finds the op that "
            "makes them"
        )


def _chosen(values: Any, k: int | None, which: str) -> Any:
    """The places of the values that are asked for, ascending."""
    n = len(values)
    if k is None or k >= n:
        return np.arange(n)
    if which == "magnitude":
        return np.sort(np.argsort(-np.abs(values))[:k])
    if which == "both":
        low = k // 2
        return np.r_[np.arange(low), np.arange(n - (k - low), n)]
    return np.arange(k) if which == "smallest" else np.arange(n - k, n)


_ARPACK = {"both": "BE", "largest": "LA", "smallest": "SA", "magnitude": "LM"}


def _lanczos(product: Callable[[Any], Any], size: int, k: int, which: str, seed: int) -> tuple[Any, Any]:
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

    start = np.random.default_rng(seed).standard_normal(size)
    _refuse(product(start))
    operator: Any = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        solve: Any = eigsh
        values, columns = solve(operator, k=k, which=_ARPACK[which], v0=start)
    except ArpackNoConvergence as error:
        raise NoConvergence(
            f"spectrum: the Lanczos method found {len(error.eigenvalues)} of {k} eigenvalues; ask for fewer, or for "
            "those of one end"
        ) from error
    except ArpackError as error:
        raise NoConvergence(f"spectrum: the Lanczos method stopped: {error}") from error
    order = np.argsort(values)
    return values[order], columns[:, order]
