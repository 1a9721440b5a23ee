"""The arbitrary choice of the vectors of coinciding values: making it generic, and telling whether it matters.

The vectors of a block of equal eigenvalues (or singular values) are one basis V of a subspace among all V Q. What is
computed from them has a derivative only if it does not depend on Q; then the values move as V (V^H M V) V^H tells,
with one Hermitian matrix M whose diagonal V^H M V is the cotangent of the values, whatever the basis. One basis
shows only a diagonal of M, so `settle` looks at others: they determine M, or show that there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import IllPosedDerivative
from ..core.tensor import DIFFERENTIABLE, Tensor
from .wellposed import adjoint, check_values, named, tolerance

LARGEST = 16  # the largest block whose M is worth to be found: it takes as many evaluations as it has vectors


def differentiated(x: Any) -> bool:
    """Whether a derivative of what is computed from x may be asked."""
    return isinstance(x, Tensor) and bool(x.node.live & DIFFERENTIABLE)


def choice(tied: Any, dtype: Any, key: int = 0) -> Any:
    """A unitary matrix that turns the vectors of each block into another basis of it, the same one every time.

    What is to be differentiated uses it: in LAPACK's own choice, often unit vectors, a function may by accident be
    stationary, and its cotangent would not show that it depends on the choice. Cayley's transform of an
    antihermitian matrix; of a complex one it turns the phases too.
    """
    n = tied.shape[-1]
    rng = np.random.default_rng((n, key))
    k = rng.standard_normal((n, n))
    if np.dtype(dtype).kind == "c":
        k = k + 1j * rng.standard_normal((n, n))
    k = np.where(tied, k - adjoint(k), 0)
    one = np.eye(n)
    return np.linalg.solve(one - k, one + k).astype(dtype)


def settle(what: str, w: Any, tied: Any, dtype: Any, turned: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
    """M in the basis at hand, and the rest of the cotangent.

    `turned(q)` evaluates what follows with the vectors V q: the cotangent of the values w, and the rest of the matrix
    cotangent, which must not depend on q. Raises IllPosedDerivative if it does, or if no M fits.
    """
    alone = np.eye(w.shape[-1], dtype=dtype)
    turns = [alone, choice(tied, dtype, 1)]
    seen = [turned(q) for q in turns]
    (gw, rest), (_, other) = seen
    bound = tolerance(w.dtype) * max(np.abs(rest).max(initial=0.0), np.abs(gw).max(initial=0.0))
    if np.abs(rest - other).max(initial=0.0) > bound:
        fault = tied & ~np.eye(w.shape[-1], dtype=bool)
        raise IllPosedDerivative(
            f"the {what} {named(w, tied, fault)} coincide, so their vectors are an arbitrary basis of one subspace, "
            "and the function's derivative depends on that choice. Use what does not, as the projector V V^H."
        )
    spread = max(float(np.where(tied, np.abs(g[..., :, None] - g[..., None, :]), 0).max(initial=0.0)) for g, _ in seen)
    if spread <= tolerance(w.dtype) * np.abs(gw).max(initial=0.0):
        return gw[..., None] * alone, rest
    size = int(tied.sum(axis=-1).max())
    if size > LARGEST:
        check_values(what, w, gw, tied)
    for key in range(2, size + 2):
        turns.append(choice(tied, dtype, key))
        seen.append(turned(turns[-1]))
    m = np.zeros((*w.shape, w.shape[-1]), dtype)
    for at in np.ndindex(w.shape[:-1]):
        for block in {tuple(np.flatnonzero(row)) for row in tied[at]}:
            here = np.ix_(block, block)
            m[at][here] = _fit(
                [q[at][here] if q.ndim > 2 else q[here] for q in turns], [g[at][list(block)] for g, _ in seen]
            )
    for q, (g, _) in zip(turns, seen, strict=True):
        miss = np.abs(np.diagonal(adjoint(q) @ m @ q, axis1=-2, axis2=-1) - g)
        if miss.max() > tolerance(w.dtype) * np.abs(gw).max():
            for g_, _ in seen:
                check_values(what, w, g_, tied)
    return m, rest


def _fit(turns: list[Any], values: list[Any]) -> Any:
    """The Hermitian matrix m with diag(q^H m q) = values for every q, by least squares."""
    rows = np.concatenate([np.einsum("ji,li->ijl", q.conj(), q).reshape(len(q), -1) for q in turns])
    m = np.linalg.lstsq(rows, np.concatenate(values).astype(rows.dtype), rcond=None)[0].reshape(turns[0].shape)
    return (m + m.conj().T) / 2
