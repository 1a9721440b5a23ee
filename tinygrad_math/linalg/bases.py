"""Independence, bases, and the change from one basis to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import MatrixError, ShapeError, SingularMatrix, TraceError, describe
from ..core.tensor import Tensor, as_tensor, rec
from .objects import MathObject, floating_array, known, own, vector_text

__all__ = ["Basis", "basis", "is_basis", "is_independent"]


@named
def is_independent(*vectors: Any, rtol: float | None = None) -> bool:
    """Whether only c = 0 gives c1 v1 + ... + ck vk = 0, judged by the singular values; a constant.

    Arguments: the vectors one by one, or as the columns of one matrix; `rtol`: singular values up to rtol times
    the largest count as 0 (by default max(m, n) eps). No vectors at all are independent.

    >>> import tinygrad_math as tm
    >>> tm.linalg.is_independent([1, 2, 1], [0, 3, 3])
    True
    >>> tm.linalg.is_independent([1, 0], [2, 3], [1, 3])
    False
    """
    a = columns_of(vectors, "is_independent")
    return rank_of(a, rtol) == a.shape[1]


@named
def is_basis(*vectors: Any, rtol: float | None = None) -> bool:
    """Whether the vectors are a basis of R^n: independent, and n of them. Arguments as for `is_independent`.

    >>> import tinygrad_math as tm
    >>> tm.linalg.is_basis([1, 1], [1, -1]), tm.linalg.is_basis([1, 1, 0], [1, -1, 0])
    (True, False)
    """
    a = columns_of(vectors, "is_basis")
    return a.shape[0] == a.shape[1] and is_independent(a, rtol=rtol)


@named
def basis(*vectors: Any, rtol: float | None = None) -> Tensor:
    """A basis of the span: the vectors that do not depend on those before them, as columns.

    Arguments as for `is_independent`. Returns shape (m, r); the derivative is that of picking columns.

    >>> import tinygrad_math as tm
    >>> tm.linalg.basis([1, 0], [2, 0], [1, 3])
    tensor([[1., 1.],
            [0., 3.]])
    """
    chosen = first_columns(columns_of(vectors, "basis"), rtol)
    a = floating_array(vectors[0] if len(vectors) == 1 else rec.stack(list(vectors), axis=-1))
    return (rec.expand_dims(a, -1) if a.ndim == 1 else a)[:, chosen]


@named
@dataclass(frozen=True, eq=False, repr=False)
class Basis(MathObject):
    """A basis of R^n or C^n, given by the columns of an invertible matrix.

    Arguments: columns of shape (n, n). Raises SingularMatrix if they depend on each other.
    Differentiable in the columns; coordinates are solve(matrix, v), so d = -M⁻¹ dM c + M⁻¹ dv.

    >>> import tinygrad_math as tm
    >>> b = tm.linalg.Basis([[1.0, 1.0], [1.0, -1.0]])
    >>> b.coordinates([2.0, 0.0])
    tensor([1., 1.])
    >>> b.vector([1.0, 1.0])
    tensor([2., 0.])
    """

    matrix: Any

    def __post_init__(self) -> None:
        m = floating_array(self.matrix)
        if m.ndim != 2 or m.shape[0] != m.shape[1]:
            raise ShapeError(f"Basis needs n columns of n components, got {describe(m)}; for fewer use Subspace")
        value = known(m)
        if value is not None and rank_of(value) < m.shape[0]:
            raise SingularMatrix(f"Basis: the columns of {value.tolist()} depend on each other, so they are no basis")
        self._set(matrix=own(m))

    @classmethod
    def fourier(cls, n: int) -> Basis:
        """The Fourier basis of C^n: column k is exp(2πi k t / n)/√n, t = 0..n-1.

        It is unitary, and the coordinates of x in it are fft(x, norm="ortho").

        >>> import tinygrad_math as tm
        >>> tm.linalg.Basis.fourier(4).coordinates([1.0, 1.0, 1.0, 1.0]).real.round(12)
        tensor([2., 0., 0., 0.])
        """
        t = np.arange(n)
        return cls(np.exp(2j * np.pi * (np.outer(t, t) % n) / n) / np.sqrt(n))

    def coordinates(self, v: Any) -> Tensor:
        """The c with Σ c_k b_k = v, for v of shape (..., n)."""
        v = self._fits(v)
        return rec.solve(self.matrix, v) if v.ndim == 1 else rec.solve(self.matrix, v.mT).mT

    def vector(self, c: Any) -> Tensor:
        """The vector Σ c_k b_k of coordinates c of shape (..., n)."""
        return rec.matmul(self._fits(c), as_tensor(self.matrix).T)

    def to(self, other: Basis) -> Tensor:
        """The matrix that turns coordinates in this basis into coordinates in the other: other⁻¹ self."""
        if np.shape(other.matrix) != np.shape(self.matrix):
            raise ShapeError(f"bases of spaces of {self.dim} and {other.dim} dimensions")
        return rec.solve(other.matrix, self.matrix)

    @property
    def dim(self) -> int:
        """n."""
        return as_tensor(self.matrix).shape[-1]

    def _fits(self, v: Any) -> Tensor:
        v = as_tensor(v)
        if not v.ndim or v.shape[-1] != self.dim:
            raise ShapeError(
                f"a basis of {self.dim} dimensions meets {describe(v)}; the last axis holds the components"
            )
        return v

    def __repr__(self) -> str:
        m = known(as_tensor(self.matrix))
        if m is None or self.dim > 6:
            return f"Basis({as_tensor(self.matrix)!r})" if m is None else f"Basis(of {self.dim} dimensions)"
        return f"Basis({', '.join(vector_text(v) for v in m.T)})"


def columns_of(vectors: Any, asker: str) -> np.ndarray[Any, Any]:
    """The values of some vectors, or of the columns of one matrix, as a matrix."""
    found = [known(as_tensor(v)) for v in vectors]
    if any(a is None for a in found):
        raise TraceError(
            f"{asker} decides on values, and a function that is being traced has none yet; call it outside"
        )
    arrays = [np.asarray(a) for a in found]
    if len(arrays) == 1 and arrays[0].ndim in (1, 2):
        a = arrays[0] if arrays[0].ndim == 2 else arrays[0][:, None]
    elif arrays and all(a.ndim == 1 and a.shape == arrays[0].shape for a in arrays):
        a = np.stack(arrays, axis=-1)
    else:
        shapes = ", ".join(map(describe, arrays)) or "nothing"
        raise ShapeError(f"{asker} needs one matrix of columns, or vectors of one length; got {shapes}")
    return a if a.dtype.kind in "fc" else a.astype(np.float64)


def spectrum(a: np.ndarray[Any, Any], rtol: float | None = None) -> tuple[np.ndarray[Any, Any], float]:
    """The singular values, and the limit up to which one counts as zero."""
    if not np.all(np.isfinite(a)):
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(a))[0])
        raise MatrixError(
            f"{describe(a)} has {a[at]} at {at}; whether vectors depend on each other needs finite numbers"
        )
    sigma = np.linalg.svd(a, compute_uv=False) if a.size else np.zeros(1)
    return sigma, float(sigma[0]) * (max(a.shape) * float(np.finfo(a.dtype).eps) if rtol is None else rtol)


def rank_of(a: np.ndarray[Any, Any], rtol: float | None = None) -> int:
    """How many singular values are not zero."""
    sigma, limit = spectrum(a, rtol)
    return int(np.sum(sigma > limit))


def first_columns(a: np.ndarray[Any, Any], rtol: float | None = None) -> list[int]:
    """The columns that are independent of those before them; as many as the rank."""
    sigma, limit = spectrum(a, rtol)
    rank, chosen = int(np.sum(sigma > limit)), list[int]()
    for j in range(a.shape[1]):
        if len(chosen) < rank and np.linalg.svd(a[:, [*chosen, j]], compute_uv=False)[-1] > limit:
            chosen.append(j)
    return chosen if len(chosen) == rank else best_columns(a, rank)


def best_columns(a: np.ndarray[Any, Any], rank: int) -> list[int]:
    """As many columns as the rank, chosen so that they are far from dependent: QR with pivoting."""
    from scipy.linalg import qr

    if rank in (0, a.shape[1]):
        return list(range(rank))
    return sorted(int(j) for j in qr(a, mode="r", pivoting=True)[1][:rank])
