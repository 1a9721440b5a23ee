"""Matrix products and contractions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import general
from ..core.samples import complexes, real, sample

matmul = general(
    arity=2,
    latex="{0} {1}",
    shape="(..., n, k), (..., k, m) -> (..., n, m)",
    holomorphic=True,
    samples=lambda: [
        sample(real(2, 3), real(3, 4)),
        sample(real(3), real(3)),
        sample(real(2, 3), real(3)),
        sample(real(3), real(3, 2)),
        sample(real(5, 2, 3), real(3, 2)),
        sample(real(2, 3), real(4, 3, 2)),
        sample(real(3), real(4, 3, 2)),
        sample(real(4, 2, 3), real(3)),
        sample(real(1, 2, 3), real(5, 3, 2)),
        sample(real(0, 3), real(3, 2)),
        sample(complexes(2, 3), complexes(3, 2, key=1)),
    ],
)(np.matmul)


@matmul.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if y.dtype.kind == "c":
        a, b = xp.conj(a), xp.conj(b)
    ga = gb = None
    if a.ndim == 2 and b.ndim == 2:
        return g @ b.T if need[0] else None, a.T @ g if need[1] else None
    if b.ndim == 1:
        if need[0]:
            ga = xp.expand_dims(g, -1) * b
        if need[1]:
            gb = xp.expand_dims(g, -1) * a
        return ga, gb
    if a.ndim == 1:
        if need[0]:
            ga = xp.matmul(b, xp.expand_dims(g, -1))[..., 0]
        if need[1]:
            gb = xp.expand_dims(a, -1) * xp.expand_dims(g, -2)
        return ga, gb
    return (
        xp.matmul(g, xp.matrix_transpose(b)) if need[0] else None,
        xp.matmul(xp.matrix_transpose(a), g) if need[1] else None,
    )


@matmul.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if tb is None:
        return xp.matmul(ta, b)
    return xp.matmul(a, tb) if ta is None else xp.matmul(ta, b) + xp.matmul(a, tb)
