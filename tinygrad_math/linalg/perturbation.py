"""How the eigenspaces of a Hermitian matrix move: four ops that every eigenvector rule is made of.

With A V = V diag(w), F_ij = 1/(w_j - w_i) between different eigenvalues and 0 between equal ones:

    rotation(A, R)        V (F o (V^H R V)) V^H      the X with X A - A X = R, outside the eigenspaces
    within(A, R)          V (same o (V^H R V)) V^H   the part of R inside the eigenspaces
    spread(A, D, g)       V diag(g) V^H              V diagonalises D inside the eigenspaces of A
    compress(A, D)        diag(V^H D V)              for the same V: how the eigenvalues move along D

K = rotation(A, dA) is the velocity of the eigenvectors, dV = K V, and compress(A, dA) that of the eigenvalues.
All four depend on A through its eigenspaces only, not on the choice of a basis in them, and their derivatives are
written with the same four. So derivatives of every order are right where eigenvalues coincide, which rules written in
terms of w and V are not: those lose what happens inside a block. (spread and compress are also handed the V at hand.)

Sources: Kato, Perturbation theory for linear operators (1966), ch. II; Magnus, Differentiating eigenvalues and
eigenvectors (1985); Giles, Collected matrix derivative results (2008), 3.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import general, helper
from ..core.samples import complexes, real, sample
from .wellposed import adjoint, check_direction, check_values, none_tied, ties

__all__: list[str] = []


@helper("adjoint")
def conjugate_transpose(xp: Any, a: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return xp.conj(xp.matrix_transpose(a)) if a.dtype.kind == "c" else xp.matrix_transpose(a)


@helper("hermitian_part")
def hermitian_part(xp: Any, a: Any) -> Any:
    """(a + a^H) / 2."""
    return (a + xp.adjoint(a)) * 0.5


def symmetric(*shape: int, key: Any = 0, of: Any = real) -> Any:
    """A well separated Hermitian matrix to test on."""
    a = of(*shape, key=key)
    return a + adjoint(a) + 4 * np.diag(np.arange(shape[-1]))


def _samples(*, weights: bool = False, frame: bool = False) -> Any:
    def samples() -> Any:
        pairs = [
            (symmetric(3, 3), real(3, 3, key=1)),
            (symmetric(2, 3, 3), real(2, 3, 3, key=1)),
            (symmetric(1, 1), real(1, 1, key=1)),
            (np.zeros((0, 0)), np.zeros((0, 0))),
            (symmetric(3, 3, of=complexes), complexes(3, 3, key=1)),
        ]
        out = []
        for a, d in pairs:
            w, v = eigen(a)
            out.append(sample(a, d, *([real(*w.shape, key=2)] if weights else []), *([v] if frame else [])))
        return out

    return samples


def eigen(a: Any) -> Any:
    """Eigenvalues and eigenvectors of the Hermitian part."""
    return np.linalg.eigh((a + adjoint(a)) * 0.5)


def gaps(w: Any) -> Any:
    """F_ij = 1 / (w_j - w_i), and 0 between values that coincide."""
    tied = ties(w)
    return np.where(tied, 0, 1 / np.where(tied, 1, w[..., None, :] - w[..., :, None])).astype(w.dtype)


def adapted(a: Any, d: Any) -> Any:
    """Eigenvectors of a that diagonalise d inside its eigenspaces, and how d moves the eigenvalues there.

    In each eigenspace the movements ascend, so that the eigenvalues of a + t d ascend for small positive t.
    """
    w, v = eigen(a)
    m = adjoint(v) @ ((d + adjoint(d)) * 0.5) @ v
    tied = ties(w)
    if none_tied(tied):
        return v, np.diagonal(m, axis1=-2, axis2=-1).real
    m = np.where(tied, m, 0)
    block = np.cumsum(~np.concatenate([np.ones((*w.shape[:-1], 1), bool), np.diagonal(tied, 1, -2, -1)], -1), -1)
    apart = 4 * np.abs(m).sum(axis=(-2, -1))[..., None] * block + block  # keeps the eigenspaces in their order
    moves, q = np.linalg.eigh(m + apart[..., None] * np.eye(w.shape[-1]))
    return v @ q.astype(v.dtype), (moves - apart).astype(w.dtype)


@general(
    name="eigen_rotation", arity=2, latex=r"\operatorname{{rotation}}({0}, {1})", shape="same as a", samples=_samples()
)
def rotation(a: Any, r: Any, /) -> Any:
    """The X with X a - a X = r outside the eigenspaces of a Hermitian a, and zero inside them."""
    w, v = eigen(a)
    vh = adjoint(v)
    return v @ (gaps(w) * (vh @ r @ v)) @ vh


def _commutator(a: Any, b: Any) -> Any:
    return a @ b - b @ a


@rotation.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, r: Any) -> Any:
    z = xp.eigen_rotation(a, g)  # the op is its own adjoint in r
    if not need[0]:
        return None, z
    yh, rh = xp.adjoint(y), xp.adjoint(xp.eigen_within(a, r))
    turn = _commutator(rh, z) + _commutator(xp.eigen_within(a, g), yh)
    return xp.hermitian_part(_commutator(z, yh) + xp.eigen_rotation(a, turn)), z if need[1] else None


@rotation.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, r: Any) -> Any:
    ta, tr = ts
    if ta is None:
        return xp.eigen_rotation(a, tr)
    ta = xp.hermitian_part(ta)
    k = xp.eigen_rotation(a, ta)
    inner = _commutator(xp.eigen_within(a, r), k) - _commutator(y, ta)
    return xp.eigen_rotation(a, inner if tr is None else tr + inner) + xp.eigen_within(a, _commutator(k, y))


@general(
    name="eigen_within", arity=2, latex=r"\operatorname{{within}}({0}, {1})", shape="same as a", samples=_samples()
)
def within(a: Any, r: Any, /) -> Any:
    """The part of r inside the eigenspaces of a Hermitian a: the sum of P r P over their projectors P."""
    w, v = eigen(a)
    vh = adjoint(v)
    return v @ np.where(ties(w), vh @ r @ v, 0) @ vh


@within.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, r: Any) -> Any:
    z = xp.eigen_within(a, g)
    if not need[0]:
        return None, z
    turn = _commutator(g, xp.adjoint(y)) + _commutator(xp.adjoint(r), z)
    return xp.hermitian_part(xp.eigen_rotation(a, turn)), z if need[1] else None


@within.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, r: Any) -> Any:
    ta, tr = ts
    if ta is None:
        return xp.eigen_within(a, tr)
    k = xp.eigen_rotation(a, xp.hermitian_part(ta))
    inner = _commutator(r, k)
    return _commutator(k, y) + xp.eigen_within(a, inner if tr is None else tr + inner)


@general(
    name="eigen_spread",
    arity=4,
    latex=r"\operatorname{{spread}}({0}, {1}, {2})",
    shape="same as a",
    samples=_samples(weights=True, frame=True),
)
def spread(a: Any, d: Any, g: Any, v: Any, /) -> Any:
    """V diag(g) V^H, for the eigenvectors V of a that diagonalise d inside the eigenspaces; v: those at hand."""
    v, _ = adapted(a, d)
    return (v * g[..., None, :]) @ adjoint(v)


@spread.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, d: Any, weights: Any, v: Any) -> Any:
    xp.eigen_alike(a, weights)
    z = xp.hermitian_part(g)
    ga = xp.hermitian_part(xp.eigen_rotation(a, _commutator(z, xp.adjoint(y)))) if need[0] else None
    # in terms of the vectors at hand, so that `settle` can look at others
    seen = xp.matmul(xp.matmul(xp.adjoint(v), z), v) if need[2] else None
    return ga, None, None if seen is None else xp.real(xp.diagonal(seen, axis1=-2, axis2=-1)), None


@spread.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, d: Any, weights: Any, v: Any) -> Any:
    ta, _, tg, _ = ts
    xp.eigen_alike(a, weights)
    moved = None if ta is None else _commutator(xp.eigen_rotation(a, xp.hermitian_part(ta)), y)
    if tg is None:
        return moved
    grown = xp.eigen_spread(a, a if ta is None else ta, tg, v)
    return grown if moved is None else moved + grown


@general(
    name="eigen_compress",
    arity=3,
    latex=r"\operatorname{{compress}}({0}, {1})",
    shape="the eigenvalues of a",
    samples=_samples(frame=True),
)
def compress(a: Any, d: Any, v: Any, /) -> Any:
    """diag(V^H d V), for the eigenvectors V of a that diagonalise d inside the eigenspaces; v: those at hand."""
    return adapted(a, d)[1]


@compress.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, d: Any, v: Any) -> Any:
    p = xp.eigen_spread(a, d, xp.eigen_alike(a, g), v)
    k = _commutator(xp.hermitian_part(d), p)
    return xp.hermitian_part(xp.eigen_rotation(a, k)) if need[0] else None, p if need[1] else None, None


@compress.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, d: Any, v: Any) -> Any:
    ta, total, _ = ts
    if ta is not None:
        moved = _commutator(xp.hermitian_part(d), xp.eigen_rotation(a, xp.hermitian_part(ta)))
        total = moved if total is None else total + moved
    return y * 0 if total is None else xp.eigen_compress(xp.eigen_unsplit(a, d), total, v)


@general(
    name="eigen_alike", arity=2, latex="{1}", shape="same as g", samples=lambda: [sample(symmetric(3, 3), real(3))]
)
def alike(a: Any, g: Any, /) -> Any:
    """g, a cotangent of the eigenvalues of a, if it treats those that coincide alike."""
    w = np.linalg.eigvalsh((a + adjoint(a)) * 0.5)
    check_values("eigenvalues", w, g)
    return np.array(g)  # not a view: a compiler may take views before the check


@alike.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, weights: Any) -> Any:
    return None, g


@alike.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, weights: Any) -> Any:
    return ts[1]


@general(
    name="eigen_unsplit",
    arity=2,
    latex="{0}",
    shape="same as a",
    samples=lambda: [sample(symmetric(3, 3), symmetric(3, 3, key=1))],
)
def unsplit(a: Any, d: Any, /) -> Any:
    """a, if the direction d keeps its coinciding eigenvalues together."""
    w, v = eigen(a)
    check_direction("eigenvalues", w, adjoint(v) @ ((d + adjoint(d)) * 0.5) @ v)
    return np.array(a)  # not a view: a compiler may take views before the check


@unsplit.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, d: Any) -> Any:
    return g, None


@unsplit.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, d: Any) -> Any:
    return ts[0]
