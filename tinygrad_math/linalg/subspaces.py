"""Subspaces of R^n, and the four that belong to a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from .bases import best_columns, columns_of, rank_of
from .objects import MathObject, floating_array, known, own, tolerance, vector_text

__all__ = ["FundamentalSubspaces", "Subspace", "fundamental_subspaces"]


@named
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Subspace(MathObject):
    """The span of the columns of a matrix; they may depend on each other.

    Arguments: columns of shape (m, k), or (m,) for one vector, real or complex; `rtol`: singular values up to rtol
    times the largest count as 0 (by default max(m, k) eps). The dimension is a constant for derivatives; projections
    are differentiable in the columns, and do not depend on which basis of the span was given. Of columns that depend
    on each other, a basis moves and the rest follow: right for every change that keeps the dimension.

    >>> import tinygrad_math as tm
    >>> plane = tm.linalg.Subspace([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    >>> plane
    Subspace of R^3, dimension 2: span of (1, 0, 0), (0, 1, 0)
    >>> plane.project([2.0, 2.0, 2.0])
    tensor([2., 2., 0.])
    >>> plane.orthogonal_complement()
    Subspace of R^3, dimension 1: span of (0, 0, 1)
    """

    columns: Any
    chosen: tuple[int, ...]
    static = ("chosen",)

    def __init__(self, columns: Any, rtol: float | None = None) -> None:
        a = floating_array(columns)
        a = rec.expand_dims(a, -1) if a.ndim == 1 else a
        if a.ndim != 2:
            raise ShapeError(f"Subspace needs a matrix whose columns span it, got {describe(a)}")
        value = columns_of([a], "Subspace")
        self._set(columns=own(a), chosen=tuple(best_columns(value, rank_of(value, rtol))))

    @classmethod
    def _of_projector(cls, columns: Tensor, dim: int) -> Subspace:
        """The span of a projector's columns, whose rank is known beforehand."""
        made = object.__new__(cls)
        made._set(columns=columns, chosen=tuple(best_columns(np.asarray(columns.detach()), dim)))
        return made

    @property
    def ambient(self) -> int:
        """m of the space around it, R^m or C^m."""
        return as_tensor(self.columns).shape[0]

    @property
    def dim(self) -> int:
        """The number of vectors in any basis."""
        return len(self.chosen)

    @property
    def basis(self) -> Tensor:
        """An orthonormal basis as columns, of shape (m, dim): Gram and Schmidt on the independent columns.

        Its derivative is the one of that procedure; of a basis, only what does not depend on the choice means much.
        """
        a = self._independent
        if not self.dim:
            return a
        q, r = rec.qr(a)
        return q * rec.sign(rec.diagonal(r))

    @property
    def projector(self) -> Tensor:
        """The matrix P that projects onto it, of shape (m, m): P² = P = Pᴴ."""
        b = self.basis
        return rec.matmul(b, rec.conj(b).mT)

    def project(self, v: Any) -> Tensor:
        """The point of the subspace nearest to v, of shape (..., m)."""
        b = self.basis
        return rec.matmul(rec.matmul(self._fits(v), rec.conj(b)), b.mT)

    def contains(self, v: Any, rtol: float | None = None) -> Tensor:
        """Whether v, of shape (..., m), lies in it: ‖v - Pv‖ <= rtol ‖v‖, `rtol` by default eps^(2/3)."""
        v = rec.stop_gradient(self._fits(v))
        off = rec.vector_norm(v - self.project(v), axis=-1)
        return off <= tolerance(off.dtype, rtol) * rec.vector_norm(v, axis=-1)

    def orthogonal_complement(self) -> Subspace:
        """All that is orthogonal to it, of dimension m - dim; its projector is I - P."""
        p = self.projector
        return Subspace._of_projector(rec.subtract(np.eye(self.ambient, dtype=p.dtype), p), self.ambient - self.dim)

    def __add__(self, other: Subspace) -> Subspace:
        """The sum: all u + v with u in one and v in the other."""
        self._same(other)
        return Subspace(rec.concat([self.basis, other.basis], axis=1), rtol=1e-10)

    def __and__(self, other: Subspace) -> Subspace:
        """The intersection, as the complement of the sum of the complements."""
        self._same(other)
        return (self.orthogonal_complement() + other.orthogonal_complement()).orthogonal_complement()

    @property
    def _independent(self) -> Tensor:
        return as_tensor(self.columns)[:, list(self.chosen)]

    def _same(self, other: Subspace) -> None:
        if self.ambient != other.ambient:
            raise ShapeError(f"a subspace of {self._space} and one of {other._space} do not meet")

    def _fits(self, v: Any) -> Tensor:
        v = floating_array(v)
        if not v.ndim or v.shape[-1] != self.ambient:
            raise ShapeError(f"a subspace of {self._space} meets {describe(v)}; the last axis holds the components")
        return v

    @property
    def _space(self) -> str:
        return f"{'C' if as_tensor(self.columns).dtype.kind == 'c' else 'R'}^{self.ambient}"

    def __repr__(self) -> str:
        columns = known(as_tensor(self.columns))
        head = f"Subspace of {self._space}, dimension {self.dim}"
        if columns is None or self.dim > 4:
            return head
        if not self.dim:
            return f"{head}: the origin alone"
        basis = np.asarray(Subspace(columns[:, list(self.chosen)]).basis)
        return f"{head}: span of {', '.join(vector_text(np.round(v, 12)) for v in basis.T)}"


@dataclass(frozen=True, eq=False, repr=False)
class FundamentalSubspaces(MathObject):
    """The four subspaces of an m x n matrix of rank r, with dimensions r, n - r, r, m - r."""

    column: Subspace
    null: Subspace
    row: Subspace
    left_null: Subspace

    @property
    def rank(self) -> int:
        """r, the dimension of the column space and of the row space."""
        return self.column.dim

    @property
    def nullity(self) -> int:
        """n - r, the dimension of the null space."""
        return self.null.dim

    def __repr__(self) -> str:
        n = self.row.ambient
        lines = [f"  {name:<10} {getattr(self, name)!r}" for name in ("column", "null", "row", "left_null")]
        shape = f"{self.column.ambient} x {n}"
        head = f"The four subspaces of a {shape} matrix; rank {self.rank} + nullity {self.nullity} = {n}"
        return "\n".join([head, *lines])


@named
def fundamental_subspaces(a: Any, rtol: float | None = None) -> FundamentalSubspaces:
    """Column space, null space, row space and left null space of A.

    Arguments: A of shape (m, n); `rtol` as for `Subspace`. Returns `.column`, `.null`, `.row`, `.left_null`, each a
    Subspace, and `.rank`, `.nullity`. Null space and row space are orthogonal complements in R^n, the other two in
    R^m; for a complex A the row space is that of the conjugated rows, so that this holds. The projectors are
    differentiable in A where the rank stays.

    >>> import tinygrad_math as tm
    >>> four = tm.linalg.fundamental_subspaces([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> four.column.dim, four.null.dim, four.row.dim, four.left_null.dim
    (2, 0, 2, 1)
    """
    a = floating_array(a)
    if a.ndim != 2:
        raise ShapeError(f"fundamental_subspaces needs a matrix, got {describe(a)}")
    column, row = Subspace(a, rtol), Subspace(rec.conj(a).mT, rtol)
    return FundamentalSubspaces(column, row.orthogonal_complement(), row, column.orthogonal_complement())
