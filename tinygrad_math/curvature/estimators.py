"""Numbers of a curvature that is known by its products: trace, diagonal, spectrum, log-determinant, solutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, eigsh, minres

from ..core.arguments import named
from ..core.errors import ArgumentError, NoConvergence, OutsideDomain, ShapeError, describe
from ..core.quiet import ignoring
from ..random import stream
from .matrices import Array, Symmetric, array_of, number_of, one_of

__all__ = ["density", "diagonal", "eigenvalues", "influence", "logdet", "solve", "trace"]

_MOST = 10_000_000  # products


def _square(A: Any, asker: str) -> Any:
    if not isinstance(A, LinearOperator) and not scipy.sparse.issparse(A):
        A = array_of(A, asker)
        if A.ndim != 2 or A.dtype.kind not in "biuf":
            raise ShapeError(f"{asker} is of a square matrix of real numbers, got {describe(A)}")
    op: Any = aslinearoperator(A)
    if op.shape[0] != op.shape[1]:
        raise ShapeError(f"{asker} is of a square matrix, got shape {op.shape}")
    return op


def _signs(rng: Any, n: int, samples: int) -> Array:
    return stream(rng).integers(0, 2, (n, samples)) * 2.0 - 1.0


@named
def trace(A: Any, samples: int = 100, method: str = "hutch++", rng: Any = 0) -> float:
    r"""An estimate of the trace of a symmetric matrix from so many products.

    Arguments: `A` a SciPy LinearOperator or array, (n, n); `method` "hutchinson" (random signs z: the mean of zᵀAz) or
    "hutch++" (a third of the products find the large eigenvalues, whose share is then exact); exact where `samples`
    is n or more. `rng` a seed or NumPy generator.
    Formula: \(\operatorname{tr} A = E[z^\top A z]\) for \(E[z z^\top] = I\). Raises ArgumentError, ShapeError.
    Source: Meyer, Musco, Musco, Woodruff 2021, "Hutch++: optimal stochastic trace estimation".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> round(tm.curvature.trace(np.diag([1.0, 2.0, 3.0]), samples=9), 9)
    6.0
    """
    op = _square(A, "trace")
    n = op.shape[0]
    if samples < 1:
        raise ArgumentError(f"trace: samples counts products from 1, got {samples}")
    one_of(method, ("hutchinson", "hutch++"), "trace", "method")
    if samples >= n:
        return float(np.trace(op.matmat(np.eye(n))))
    z = _signs(rng, n, samples)
    third = samples // 3
    if method == "hutchinson" or not third:
        return float(np.einsum("ij,ij->", z, op.matmat(z)) / samples)
    q, _ = np.linalg.qr(op.matmat(z[:, :third]))
    rest = z[:, third : 2 * third]
    rest = rest - q @ (q.T @ rest)
    return float(np.trace(q.T @ op.matmat(q)) + np.einsum("ij,ij->", rest, op.matmat(rest)) / third)


@named
def diagonal(A: Any, samples: int = 100, rng: Any = 0) -> Array:
    r"""An estimate of the diagonal, (n,), from so many products with random signs; exact where `samples` is n or more.

    Formula: \(d = \sum z \odot A z / \sum z \odot z\). Raises ArgumentError, ShapeError.
    Source: Bekas, Kokiopoulou, Saad 2007, "An estimator for the diagonal of a matrix".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.curvature.diagonal(np.diag([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    op = _square(A, "diagonal")
    n = op.shape[0]
    if samples < 1:
        raise ArgumentError(f"diagonal: samples counts products from 1, got {samples}")
    if samples >= n:
        return np.array(np.diagonal(op.matmat(np.eye(n))))
    z = _signs(rng, n, samples)
    return np.asarray(np.mean(z * op.matmat(z), axis=1))


@named
def eigenvalues(A: Any, k: int = 6, which: str = "LM") -> Array:
    """The k outermost eigenvalues, ascending, by SciPy's Lanczos method; all of them where there are no more than k.

    Arguments: `which` "LM" (largest in size), "LA" (largest), "SA" (smallest), as SciPy has them.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.curvature.eigenvalues(np.diag([1.0, 2.0, 3.0]), k=3).round(9).tolist()
    [1.0, 2.0, 3.0]
    """
    op = _square(A, "eigenvalues")
    if k < 1:
        raise ArgumentError(f"eigenvalues: k counts from 1, got {k}")
    one_of(which, ("LM", "LA", "SA", "SM", "BE"), "eigenvalues", "which")
    if k >= op.shape[0]:
        dense = _finite(op.matmat(np.eye(op.shape[0])))
        return np.linalg.eigvalsh((dense + dense.T) / 2)
    start = np.random.default_rng(0).standard_normal(op.shape[0])
    if not np.any(_finite(op.matvec(start))):  # of the matrix of zeros ARPACK finds nothing to begin with
        return np.zeros(k)
    lanczos: Any = eigsh
    return np.sort(lanczos(op, k, which=which, v0=start, return_eigenvectors=False))


def _finite(product: Array) -> Array:
    if not np.isfinite(product).all():
        raise OutsideDomain("eigenvalues: a product with the matrix is not finite")
    return product


class Quadrature(NamedTuple):
    """Nodes and weights, of which each start's weights sum to 1."""

    nodes: Array
    weights: Array


def _lanczos(op: Any, steps: int, starts: int, rng: Any, asker: str) -> Quadrature:
    """Eigenvalues of small tridiagonal matrices, and the weights of a random vector in them.

    Source: Ubaru, Chen, Saad 2017, "Fast estimation of tr(f(A)) via stochastic Lanczos quadrature".
    """
    n = op.shape[0]
    if n < 1 or steps < 1 or starts < 1:
        raise ArgumentError(f"{asker}: steps, starts and the rows of A count from 1, got {steps}, {starts} and {n}")
    if steps * starts > _MOST:
        raise ArgumentError(f"{asker}: steps * starts products are {steps * starts:.3g}, beyond {_MOST:.0e}")
    generator = stream(rng)
    nodes, weights = [], []
    for _ in range(starts):
        q = generator.integers(0, 2, n) * 2.0 - 1.0
        basis = [q / np.sqrt(n)]
        diagonal: list[float] = []
        beside: list[float] = []
        size = 0.0
        v = op.matvec(basis[-1])
        _, exponent = np.frexp(np.abs(v).max())  # squares of very small or large numbers are 0 or infinite
        for _ in range(min(steps, n)):
            v = np.ldexp(op.matvec(basis[-1]) if beside else v, -exponent)
            if not np.isfinite(v).all():
                raise OutsideDomain(f"{asker}: a product with the matrix is not finite, or far larger than the others")
            diagonal.append(float(basis[-1] @ v))
            known = np.stack(basis)
            for _ in range(2):  # orthogonal to rounding only at the second time
                v = v - known.T @ (known @ v)
            norm = float(np.linalg.norm(v))
            size = max(size, abs(diagonal[-1]), norm)  # what is small beside the matrix itself is rounding
            if norm <= 1e-12 * size or len(diagonal) == min(steps, n):
                break
            beside.append(norm)
            basis.append(v / norm)
        w, u = eigh_tridiagonal(np.array(diagonal), np.array(beside[: len(diagonal) - 1]))
        nodes.append(np.ldexp(w, exponent))
        weights.append(u[0] ** 2 / starts)
    return Quadrature(np.concatenate(nodes), np.concatenate(weights))


@named
def logdet(A: Any, steps: int = 40, starts: int = 20, rng: Any = 0) -> float:
    r"""An estimate of the log-determinant of a positive definite matrix, by stochastic Lanczos quadrature.

    Arguments: `steps` of the Lanczos method for each of `starts` random vectors: steps * starts products.
    Formula: \(\log\det A = \operatorname{tr} \log A\). Raises OutsideDomain where the matrix is seen not to be
    positive definite: add damping.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> round(tm.curvature.logdet(np.diag([1.0, 2.0, 4.0])), 6), round(float(np.log(8.0)), 6)
    (2.079442, 2.079442)
    """
    op = _square(A, "logdet")
    nodes, weights = _lanczos(op, steps, starts, rng, "logdet")
    if nodes.min() <= op.shape[0] * np.finfo(float).eps * np.abs(nodes).max():
        raise OutsideDomain(
            f"logdet is of a positive definite matrix; this one has an eigenvalue near {nodes.min():.3g}. Add damping: "
            "A + damping * identity"
        )
    return float(op.shape[0] * np.sum(weights * np.log(nodes)))


@named
def density(
    A: Any, points: Any = 200, width: float | None = None, steps: int = 60, starts: int = 10, rng: Any = 0
) -> Any:
    r"""The spectral density: how many eigenvalues lie where, as (points, density), which integrates to 1.

    Arguments: `points` where, or how many; `width` of the Gaussian that stands for each eigenvalue (by default a
    hundredth of the range).
    Formula: \(\varphi(t) = \frac1n \sum_i N(t; \lambda_i, \sigma^2)\), by stochastic Lanczos quadrature.
    Source: Ghorbani, Krishnan, Xiao 2019, "Neural net optimization via Hessian eigenvalue density".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> t, phi = tm.curvature.density(np.diag([1.0, 1.0, 3.0]), points=401, width=0.05)
    >>> bool(abs(np.trapezoid(phi, t) - 1) < 1e-3)
    True
    """
    op = _square(A, "density")
    nodes, weights = _lanczos(op, steps, starts, rng, "density")
    span = float(np.ptp(nodes)) or max(1.0, abs(float(nodes[0])))
    sigma = span / 100 if width is None else number_of(width, "density", "width")
    if not sigma > 0:
        raise ArgumentError(f"density: width is above 0, got {width}")
    t = array_of(points, "density")
    if t.dtype.kind not in "iuf" or t.ndim > 1:
        raise ArgumentError(f"density: points is how many, or the real numbers where, got {describe(points)}")
    if t.ndim == 0:
        if not 1 <= t <= _MOST:
            raise ArgumentError(f"density: points counts from 1 to {_MOST:.0e}, got {t}")
        t = np.linspace(nodes.min() - 5 * sigma, nodes.max() + 5 * sigma, int(t))
    bells = np.exp(-0.5 * ((t[:, None] - nodes) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return t, bells @ weights


@named
def solve(
    A: Any, b: Any, damping: float = 0.0, method: str = "cg", rtol: float = 1e-10, maxiter: int | None = None
) -> Array:
    """(A + damping I)⁻¹ b, (n,), by conjugate gradients (A positive definite) or MINRES (A symmetric).

    Raises NoConvergence with the residual that was reached, ArgumentError, ShapeError.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.curvature.solve(np.diag([1.0, 2.0]), np.array([1.0, 1.0])).round(9).tolist()
    [1.0, 0.5]
    """
    op = _square(A, "solve")
    b, damping, rtol = array_of(b, "solve"), number_of(damping, "solve", "damping"), number_of(rtol, "solve", "rtol")
    if b.shape != (op.shape[0],) or b.dtype.kind not in "biuf":
        raise ShapeError(f"solve: b is real, of shape ({op.shape[0]},), got {describe(b)}")
    b = b.astype(float)
    if not np.isfinite(b).all():
        raise ArgumentError(f"solve: b is finite, and has NaN or an infinity at {np.flatnonzero(~np.isfinite(b))[:5]}")
    solvers: dict[str, Callable[..., Any]] = {"cg": cg, "minres": minres}
    one_of(method, tuple(solvers), "solve", "method")
    own = 0  # the exponent of the matrix, of which minres takes squares; cg does not mind
    _, exponent = np.frexp(np.abs(b).max(initial=0.0))  # squares of very small or large numbers are 0 or infinite
    scaled = np.ldexp(b, -exponent)
    damped = LinearOperator(
        op.shape, matvec=lambda v: np.ldexp(op.matvec(v) + damping * np.ravel(v), -own), dtype=float
    )
    with ignoring():  # of a singular matrix they divide by 0
        if method == "minres":
            _, own = np.frexp(np.abs(damped.matvec(scaled)).max(initial=0.0))
        x, _ = solvers[method](damped, scaled, rtol=rtol, maxiter=maxiter)
        residual = float(np.linalg.norm(damped.matvec(x) - scaled)) / (float(np.linalg.norm(scaled)) or 1.0)
    if not residual <= max(1e3 * rtol, 1e-6):
        raise NoConvergence(
            f"solve: {method} reached a relative residual of {residual:.3g}; add damping, take method='minres' for an "
            "indefinite matrix, or give more iterations (maxiter)"
        )
    return np.asarray(np.ldexp(x, exponent - own))


@named
def influence(H: Symmetric, example: Any, test: Any, damping: float = 1e-3, method: str = "cg") -> float:
    r"""How the loss on a test example would change if one training example were given a little more weight.

    Arguments: `H` the curvature of the training loss; `example` and `test` the gradients of the two losses, as trees
    like its x or vectors, (n,).
    Formula: \(-g_{test}^\top (H + \lambda I)^{-1} g_{train}\).
    Source: Koh, Liang 2017, "Understanding black-box predictions via influence functions".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> H = tm.curvature.HessianOperator(lambda x: (x * x).sum(), np.zeros(2))
    >>> round(tm.curvature.influence(H, np.array([2.0, 0.0]), np.array([1.0, 1.0]), damping=0.0), 9)
    -1.0
    """
    train, held = (
        g if isinstance(g, np.ndarray) and g.shape == (H.shape[1],) else H.vector(g) for g in (example, test)
    )
    return -float(held @ solve(H, train, damping, method))
