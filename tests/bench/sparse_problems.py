"""Functions with sparse derivatives, written over either library: what `bench_sparse.py` compares, and a test runs.

Each problem takes `xp`, which has NumPy's names, `lib`, which has the others, and about how many numbers x has. It
gives f and x.
"""

import numpy as np

import tinygrad_math as tm

RNG = np.random.default_rng


class Ours:
    """What NumPy has no name for, in this package."""

    convolve = staticmethod(lambda x, w: tm.convolve(x, w, mode="valid"))
    add_at = staticmethod(lambda z, i, v: z.at[i].add(v))
    logsumexp = staticmethod(lambda y, axis: tm.special.logsumexp(y, axis=axis))
    solve = staticmethod(lambda a, b: tm.linalg.solve(a, b[..., None])[..., 0])
    scan = staticmethod(lambda step, y, n: tm.scan(step, y, length=n)[0])


def theirs(jax):
    """The same in JAX."""

    class Theirs:
        convolve = staticmethod(lambda x, w: jax.numpy.convolve(x, w, mode="valid"))
        add_at = staticmethod(lambda z, i, v: z.at[i].add(v))
        logsumexp = staticmethod(lambda y, axis: jax.nn.logsumexp(y, axis=axis))
        solve = staticmethod(lambda a, b: jax.numpy.linalg.solve(a, b[..., None])[..., 0])
        scan = staticmethod(lambda step, y, n: jax.lax.scan(step, y, length=n)[0])

    return Theirs


def rosenbrock(xp, lib, n):
    return lambda x: xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), np.linspace(-1, 1, n)


def spring_chain(xp, lib, n):
    rest = 0.9

    def energy(q):
        p = xp.reshape(q, (-1, 2))
        d = p[1:] - p[:-1]
        length = xp.sqrt(xp.sum(d * d, axis=1))
        return 50 * xp.sum((length - rest) ** 2) + xp.sum(p[:, 1])

    at = np.stack([np.arange(n // 2), np.sin(np.arange(n // 2))], axis=1)
    return energy, at.ravel()


def burgers(xp, lib, n):
    h = 1 / n

    def residual(u):
        inner = u[1:-1] * (u[2:] - u[:-2]) / (2 * h) - 0.01 * (u[2:] - 2 * u[1:-1] + u[:-2]) / h**2
        return xp.concatenate([u[:1] - 1, inner, u[-1:]])

    return residual, np.linspace(1, 0, n)


def bratu(xp, lib, n):
    side = int(np.sqrt(n))
    h = 1 / (side + 1)

    def residual(u):
        u = xp.pad(xp.reshape(u, (side, side)), 1)
        laplacian = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
        return xp.reshape(laplacian / h**2 + xp.exp(u[1:-1, 1:-1]), (-1,))

    return residual, RNG(0).normal(size=side * side)


def minimal_surface(xp, lib, n):
    side = int(np.sqrt(n))

    def area(u):
        u = xp.reshape(u, (side, side))
        dx, dy = u[1:, :-1] - u[:-1, :-1], u[:-1, 1:] - u[:-1, :-1]
        return xp.sum(xp.sqrt(1 + dx**2 + dy**2))

    return area, RNG(0).normal(size=side * side)


def bundle(xp, lib, n):
    """Points seen by cameras: each residual touches six numbers of a camera and three of a point."""
    cameras = max(2, n // 200)
    points = (n - 6 * cameras) // 3
    rng = RNG(0)
    camera, point = rng.integers(cameras, size=4 * points), np.repeat(np.arange(points), 4)
    seen = rng.normal(size=(4 * points, 2))

    def residual(x):
        c, p = xp.reshape(x[: 6 * cameras], (cameras, 6))[camera], xp.reshape(x[6 * cameras :], (points, 3))[point]
        turned = p + xp.cross(c[:, :3], p) + c[:, 3:]
        return xp.reshape(turned[:, :2] / (10 + turned[:, 2:]) - seen, (-1,))

    return residual, rng.normal(size=6 * cameras + 3 * points) / 10


def arrow(xp, lib, n):
    return lambda x: xp.sum(x[0] * x**2) + xp.sum(xp.cos(x)), np.linspace(0.5, 1, n)


def bordered(xp, lib, n):
    """A full row and a full column: neither rows nor columns alone can share a product."""
    return lambda x: xp.concatenate([xp.sum(x**2)[None], x[1:] * x[0]]), np.linspace(0.5, 1, n)


def tall(xp, lib, n):
    """Few columns are full: rows share products."""
    return lambda x: xp.sin(xp.sum(xp.reshape(x, (-1, 50)), axis=1)), np.linspace(0, 1, n // 50 * 50)


def convolved(xp, lib, n):
    w = np.array([0.2, -0.5, 0.3, 0.7])
    return lambda x: xp.tanh(lib.convolve(x, w)), np.linspace(-1, 1, n)


def gathered(xp, lib, n):
    rng = RNG(1)
    i, j = rng.integers(n, size=n), rng.integers(n, size=n)
    return lambda x: xp.sum((x[i] * x[j] - 1) ** 2), rng.normal(size=n)


def scattered(xp, lib, n):
    rng = RNG(2)
    i, j = rng.integers(n, size=n), rng.integers(n, size=n)
    return lambda x: lib.add_at(xp.zeros(n), i, xp.sin(x[j])) * x, rng.normal(size=n)


def multiplied(xp, lib, n):
    """A block-diagonal constant matrix, stored in full, of the size of a small problem."""
    m = min(n, 300)
    a = np.kron(np.eye(m // 3), np.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 2]]))
    return lambda x: xp.exp(a @ x) - x, np.linspace(-1, 1, m // 3 * 3)


def chosen(xp, lib, n):
    mask = np.arange(n) % 3 == 0

    def f(x):
        y = xp.where(mask, x * xp.roll(x, 1), xp.maximum(x, 0.1))
        return xp.clip(xp.where(x > 0, y, y * xp.roll(y, -1)), -5, 5)

    return f, RNG(3).normal(size=n)


def sorted_rows(xp, lib, n):
    return lambda x: xp.sum(xp.sort(xp.reshape(x, (-1, 5)), axis=1) ** 2 * np.arange(5.0), axis=1), RNG(4).normal(
        size=n // 5 * 5
    )


def reduced(xp, lib, n):
    def f(x):
        y = xp.reshape(x, (-1, 4))
        return xp.sum(lib.logsumexp(y, 1) * xp.max(y, axis=1) + xp.prod(y, axis=1))

    return f, RNG(5).normal(size=n // 4 * 4)


def cumulated(xp, lib, n):
    return lambda x: xp.reshape(xp.cumsum(xp.reshape(x, (-1, 6)) ** 2, axis=1), (-1,)), RNG(6).normal(size=n // 6 * 6)


def network(xp, lib, n):
    """The same small network at each place, over the values near it."""
    rng = RNG(7)
    w, v = rng.normal(size=(3, 8)), rng.normal(size=8)

    def f(x):
        near = xp.stack([x[:-2], x[1:-1], x[2:]], axis=1)
        return xp.tanh(near @ w) @ v

    return f, rng.normal(size=n)


def pairs(xp, lib, n):
    """A matrix product with one matrix for each pair, by einsum."""
    blocks = RNG(8).normal(size=(n // 2, 2, 2))
    return lambda x: xp.sum(xp.einsum("bi,bij,bj->b", xp.reshape(x, (-1, 2)), blocks, xp.reshape(x, (-1, 2))) ** 2), (
        RNG(8).normal(size=n // 2 * 2)
    )


def marched(xp, lib, n):
    """Many small systems, each taken through ten steps of a loop."""

    def f(x):
        y = xp.reshape(x, (-1, 2))
        for _ in range(10):
            y = y + 0.01 * xp.stack([y[:, 1], -xp.sin(y[:, 0])], axis=1)
        return xp.reshape(y, (-1,))

    return f, RNG(9).normal(size=n // 2 * 2)


def scanned(xp, lib, n):
    """The same by a scan."""

    def f(x):
        def step(y, _):
            return y + 0.01 * xp.stack([y[:, 1], -xp.sin(y[:, 0])], axis=1), None

        return xp.reshape(lib.scan(step, xp.reshape(x, (-1, 2)), 10), (-1,))

    return f, RNG(9).normal(size=n // 2 * 2)


def solved(xp, lib, n):
    """A system of three equations for each group of numbers."""

    def f(x):
        b = xp.reshape(x, (-1, 3))
        a = b[:, :, None] * b[:, None, :] + 3 * np.eye(3)
        return xp.reshape(lib.solve(a, b), (-1,))

    return f, RNG(10).normal(size=n // 3 * 3)


JACOBIANS = {
    f.__name__: f
    for f in (
        burgers, bratu, bundle, bordered, tall, convolved, scattered, multiplied, chosen, sorted_rows, cumulated,
        network, marched, scanned, solved,
    )
}  # fmt: skip
HESSIANS = {f.__name__: f for f in (rosenbrock, spring_chain, minimal_surface, arrow, gathered, reduced, pairs)}
