"""Ax = b: whether it has a solution, which, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, rec
from .objects import MathObject, floating_array, known, number_text, tolerance, vector_text
from .subspaces import Subspace, fundamental_subspaces

__all__ = ["LinearSystemSolution", "solve_system"]


@dataclass(frozen=True, eq=False, repr=False)
class LinearSystemSolution(MathObject):
    """What is to be said about Ax = b. Made by `solve_system`.

    `kind` is 'unique', 'family' (x plus anything of the null space) or 'none'; `x` the solution, of minimum norm in a
    family, the least-squares answer where there is none; `null_space` a Subspace; `why` the reason in a sentence.
    """

    x: Any
    null_space: Subspace
    residual: Any
    kind: str
    why: str
    static = ("kind", "why")

    def __repr__(self) -> str:
        x = known(self.x)
        shown = repr(self.x) if x is None else vector_text(np.round(x, 12))
        what = {
            "unique": f"one solution, x = {shown}",
            "family": f"a family of solutions, x = {shown} + anything in the null space ({self.null_space!r})",
            "none": f"no solution; nearest in the least-squares sense is x = {shown}",
        }
        return f"{what[self.kind]}\n  because {self.why}"


@named
def solve_system(a: Any, b: Any, rtol: float | None = None) -> LinearSystemSolution:
    """Solve Ax = b, or say why it cannot be: it is solvable iff b lies in the column space of A.

    Arguments: A of shape (m, n), b of shape (m,); `rtol`: singular values up to rtol times the largest count as 0
    (by default max(m, n) eps). Returns `.kind` ('unique', 'none', 'family'), `.x`, `.null_space`, `.residual`, `.why`.
    x is the least-squares solution of minimum norm, A⁺b, differentiable in A and b. Raises ShapeError for shapes that
    do not meet; from derivatives IllPosedDerivative below full rank, as `pinv`, unless rtol says that the rank stays.

    >>> import tinygrad_math as tm
    >>> tm.linalg.solve_system([[1, 0, 2], [0, 1, 3]], [1, 1]).kind
    'family'
    >>> tm.linalg.solve_system([[2, 0], [0, 4]], [2, 2])
    one solution, x = (1, 0.5)
      because b lies in the column space and the 2 columns are independent, so only one combination gives it
    """
    a, b = floating_array(a), floating_array(b)
    if a.ndim != 2 or b.shape != a.shape[:1]:
        raise ShapeError(f"solve_system({describe(a)}, {describe(b)}): a matrix (m, n) meets a vector (m,)")
    four = fundamental_subspaces(a, rtol)
    x = _least_squares(a, b, four.rank, rtol)
    residual = a @ x - b
    off, size = np.linalg.norm(known(residual)), np.linalg.norm(known(a)) * np.linalg.norm(known(x))
    n = a.shape[1]
    if off > tolerance(a.dtype) * (size + np.linalg.norm(known(b))):
        kind = "none"
        why = (
            f"b is {number_text(off)} away from the column space (dimension {four.rank} of {a.shape[0]}): "
            f"no combination of the {n} columns gives it"
        )
    elif four.nullity:
        kind = "family"
        why = (
            f"b lies in the column space and the null space has dimension {four.nullity} = {n} - rank {four.rank}: "
            "x may move along it"
        )
    else:
        kind = "unique"
        why = f"b lies in the column space and the {n} columns are independent, so only one combination gives it"
    return LinearSystemSolution(x, four.null, residual, kind, why)


def _least_squares(a: Tensor, b: Tensor, rank: int, rtol: float | None) -> Tensor:
    if rank == a.shape[0] == a.shape[1]:
        return rec.solve(a, b)
    return rec.matmul(rec.pinv(a, rcond=rtol), b)
