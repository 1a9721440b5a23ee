"""The probability that a normal vector lies below a point: the distribution function of multivariate_normal.

With F_n(x, S) = P(z <= x) for z normal of covariance S, dF/dx_i is the density of z_i at x_i times F_(n-1) of the other
coordinates given z_i = x_i, and dF/dS = 1/2 d2F/dx2 (Plackett, 1954). So all derivatives, of every order, are values of
F in fewer dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general, helper
from ..core.quiet import ignoring
from ..core.samples import real, sample
from ..special.quadrature import gauss_legendre

_DEEPEST = 4  # dimensions that are integrated one after another; beyond, by SciPy's lattice rule


def _bivariate(h: Any, k: Any, r: Any) -> Any:
    """P(z1 <= h, z2 <= k) at correlation r, by an integral over it (Drezner and Wesolowsky, 1990)."""
    from scipy import special

    nodes, weights = gauss_legendre(96)
    reach = np.arcsin(np.clip(r, -1, 1))[..., None]
    angle = reach * (nodes + 1) / 2
    h, k = np.clip(h, -40, 40), np.clip(k, -40, 40)  # beyond, nothing is left
    sine, cosine = np.sin(angle), np.cos(angle)
    with ignoring():
        power = (h * h + k * k)[..., None] - 2 * (h * k)[..., None] * sine
        inside = np.exp(-power / (2 * cosine * cosine))
    return special.ndtr(h) * special.ndtr(k) + (np.nan_to_num(inside) @ weights) * reach[..., 0] / (4 * math.pi)


def _below(x: Any, cov: Any) -> Any:
    """F for points (m, n) and their covariances (m, n, n), both standardised."""
    from scipy import special

    n = x.shape[-1]
    if n == 0:
        return np.ones(x.shape[0])
    if n == 1:
        return special.ndtr(x[:, 0])
    if n == 2:
        return _bivariate(x[:, 0], x[:, 1], cov[:, 0, 1])
    nodes, weights = gauss_legendre(64)
    top = np.clip(x[:, :1], -38.0, 8.5)
    low = np.minimum(-8.5, top - 8.5)
    z = low + (top - low) * (nodes + 1) / 2  # the first coordinate, up to its bound
    r = cov[:, 1:, 0]
    rest = cov[:, 1:, 1:] - r[:, :, None] * r[:, None, :]
    scale = np.sqrt(np.maximum(np.diagonal(rest, axis1=1, axis2=2), 1e-300))
    given = (x[:, None, 1:] - r[:, None, :] * z[:, :, None]) / scale[:, None, :]
    rest = np.clip(rest / (scale[:, :, None] * scale[:, None, :]), -1, 1)
    m, count = z.shape
    inner = _below(given.reshape(m * count, n - 1), np.repeat(rest, count, axis=0)).reshape(m, count)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return ((inner * density) @ weights) * (top - low)[:, 0] / 2


@general(
    arity=2,
    latex=r"\Phi_{{{1}}}({0})",
    shape="(..., n), (n, n) -> (...)",
    samples=lambda: [
        sample(real(3, 2), np.array([[2.0, 0.5], [0.5, 1.0]])),
        sample(real(3), np.array([[2.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.5]])),
        sample(real(2, 1), np.array([[2.0]])),
        sample(real(0, 2), np.eye(2)),
    ],
)
def normal_below(x: Any, cov: Any, /) -> Any:
    """The probability that a normal vector of mean 0 is at most x in every coordinate; cov counts made symmetric.

    By quadrature up to four dimensions, with errors below 1e-9 unless correlations are close to 1; beyond by SciPy's
    randomised rule, to about 1e-6.
    """
    from scipy import stats

    x, cov = np.asarray(x), np.asarray(cov)
    kind = np.result_type(x, cov, np.float32)
    n = x.shape[-1]
    cov = 0.5 * (cov + cov.T).astype(np.float64)
    points = np.reshape(x.astype(np.float64), (math.prod(x.shape[:-1]), n))
    if n > _DEEPEST:
        found = stats.multivariate_normal.cdf(
            points, cov=cov, maxpts=200_000 * n, abseps=1e-7, releps=1e-7, rng=np.random.default_rng(0)
        )
        return np.reshape(found, x.shape[:-1]).astype(kind)[()]
    scale = np.sqrt(np.diagonal(cov))
    alike = np.broadcast_to(cov / np.outer(scale, scale), (len(points), n, n))
    return np.reshape(_below(points / scale, alike), x.shape[:-1]).astype(kind)[()]


@helper("given_normal")
def given_normal(xp: Any, x: Any, cov: Any, i: int) -> tuple[Any, Any, Any]:
    """The density of coordinate i at x_i, and the point and covariance of the others, given that they lie there."""
    n = x.shape[-1]
    rest = np.array([k for k in range(n) if k != i], int)
    s, r = cov[i, i], cov[rest, i]
    xi = x[..., i]
    density = xp.exp(-0.5 * xi * xi / s) / xp.sqrt(2 * math.pi * s)
    away = x[..., rest] - (r / s) * xp.expand_dims(xi, -1)
    return density, away, cov[np.ix_(rest, rest)] - xp.expand_dims(r, -1) * r / s


@helper("normal_slopes")
def normal_slopes(xp: Any, x: Any, cov: Any) -> list[Any]:
    """The derivatives of normal_below in the coordinates of x."""
    slopes = []
    for i in range(x.shape[-1]):
        density, away, rest = xp.given_normal(x, cov, i)
        slopes.append(density * xp.normal_below(away, rest))
    return slopes


@helper("normal_curvature")
def normal_curvature(xp: Any, x: Any, cov: Any, slopes: list[Any]) -> list[list[Any]]:
    """Its second derivatives in x."""
    n = x.shape[-1]
    h: list[list[Any]] = [[None] * n for _ in range(n)]
    for i in range(n):
        density, away, rest = xp.given_normal(x, cov, i)
        for j in range(i + 1, n):
            inner, further, last = xp.given_normal(away, rest, j - 1)
            h[i][j] = h[j][i] = density * inner * xp.normal_below(further, last)
    for i in range(n):
        total = -x[..., i] * slopes[i]
        for j in range(n):
            if j != i:
                total = total - cov[i, j] * h[i][j]
        h[i][i] = total / cov[i, i]
    return h


@normal_below.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, cov: Any) -> Any:
    if not x.shape[-1]:  # a probability of 1
        return xp.zeros_like(x), xp.zeros_like(cov)
    cov = 0.5 * (cov + xp.matrix_transpose(cov))
    slopes = xp.normal_slopes(x, cov)
    gx = xp.stack([g * s for s in slopes], axis=-1) if need[0] else None
    gcov = None
    if need[1]:
        h = xp.normal_curvature(x, cov, slopes)
        gcov = xp.stack([xp.stack([0.5 * xp.sum(g * part) for part in row]) for row in h])
    return gx, gcov


@normal_below.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, cov: Any) -> Any:
    if not x.shape[-1]:
        return xp.zeros_like(y)
    cov = 0.5 * (cov + xp.matrix_transpose(cov))
    slopes = xp.normal_slopes(x, cov)
    total = None
    if ts[0] is not None:
        total = sum((ts[0][..., i] * s for i, s in enumerate(slopes)), start=xp.zeros_like(y))
    if ts[1] is not None:
        h = xp.normal_curvature(x, cov, slopes)
        n = x.shape[-1]
        part = sum((0.5 * ts[1][i, j] * h[i][j] for i in range(n) for j in range(n)), start=xp.zeros_like(y))
        total = part if total is None else total + part
    return total
