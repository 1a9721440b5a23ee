"""Maps, Hessians, sparse Hessians and products beside PyTorch's and JAX's, one thread each:

bench_second_order.py [--quick] [--avx2]
"""

import argparse

import harness
import numpy as np

import tinygrad_math as tm

torch, jax = harness.peer("torch"), harness.peer("jax")


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def hessian_of_rosenbrock(n=100):
    x = np.linspace(-1, 1, n)
    compiled, pattern = tm.compile(tm.hessian(rosenbrock)), tm.curvature.sparsity(rosenbrock, x)
    steps = {
        "tinygrad_math": lambda: tm.hessian(rosenbrock)(x),
        "ours compiled": lambda: compiled(x),
        "ours sparse": lambda: tm.curvature.sparse_hessian(rosenbrock, x, pattern=pattern, compiled=True),
    }
    if torch:
        t = torch.tensor(x)
        steps["torch.func"] = lambda: torch.func.hessian(rosenbrock)(t)
    if jax:
        f, j = jax.jit(jax.hessian(rosenbrock)), jax.numpy.asarray(x)
        steps["JAX jit"] = lambda: f(j).block_until_ready()
    return steps


def hessian_of_a_network():
    sizes, rng = [(2, 16), (16, 16), (16, 1)], np.random.default_rng(0)
    x, y = rng.normal(size=(64, 2)), rng.normal(size=(64, 1))
    params = [a for i, o in sizes for a in (rng.normal(size=(i, o)) / np.sqrt(i), np.zeros(o))]

    def loss_of(tanh, x, y):
        def loss(p):
            h = tanh(tanh(x @ p[0] + p[1]) @ p[2] + p[3])
            return ((h @ p[4] + p[5] - y) ** 2).mean()

        return loss

    ours = loss_of(tm.tanh, x, y)
    compiled = tm.compile(tm.hessian(ours))
    steps = {"tinygrad_math": lambda: tm.hessian(ours)(params), "ours compiled": lambda: compiled(params)}
    if torch:
        theirs, p = loss_of(torch.tanh, torch.tensor(x), torch.tensor(y)), tuple(map(torch.tensor, params))
        steps["torch.func"] = lambda: torch.func.hessian(theirs)(p)
    if jax:
        f = jax.jit(jax.hessian(loss_of(jax.numpy.tanh, x, y)))
        q = [jax.numpy.asarray(a) for a in params]
        steps["JAX jit"] = lambda: jax.block_until_ready(f(q))
    return steps


def gradients_by_example():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(128, 64)), rng.integers(0, 10, 128)
    params = [rng.normal(size=(64, 64)) / 8, np.zeros(64), rng.normal(size=(64, 10)) / 8, np.zeros(10)]

    def loss_of(tanh, logsumexp):
        def loss(p, x, label):
            z = tanh(x @ p[0] + p[1]) @ p[2] + p[3]
            return logsumexp(z) - (z * label).sum()

        return loss

    hot = np.eye(10)[labels]
    ours = tm.vmap(tm.grad(loss_of(tm.tanh, tm.special.logsumexp)), in_axes=(None, 0, 0))
    compiled = tm.compile(ours)
    steps = {"tinygrad_math": lambda: ours(params, x, hot), "ours compiled": lambda: compiled(params, x, hot)}
    if torch:
        theirs = loss_of(torch.tanh, lambda z: torch.logsumexp(z, 0))
        g = torch.func.vmap(torch.func.grad(theirs), in_dims=(None, 0, 0))
        p, tx, th = list(map(torch.tensor, params)), torch.tensor(x), torch.tensor(hot)
        steps["torch.func"] = lambda: g(p, tx, th)
    if jax:
        f = jax.jit(jax.vmap(jax.grad(loss_of(jax.numpy.tanh, jax.nn.logsumexp)), in_axes=(None, 0, 0)))
        q = [jax.numpy.asarray(a) for a in params]
        steps["JAX jit"] = lambda: jax.block_until_ready(f(q, x, hot))
    return steps


def jacobian_in_one_walk(n=200):
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(n, n)), rng.normal(size=n)

    def f(x):
        return tm.sin(w @ x)

    def by_rows():
        _, pull = tm.vjp(f, x)
        return [pull(e) for e in np.eye(n)]

    return {"tinygrad_math": lambda: tm.jacobian(f)(x), "row by row": by_rows}


def many_products():
    net = tm.nn.Sequential(tm.nn.Linear(16, 32, rng=0), tm.nn.Tanh(), tm.nn.Linear(32, 4, rng=1))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 16)), rng.normal(size=(64, 4))
    H = tm.curvature.HessianOperator(lambda net: tm.nn.functional.mse_loss(net(x), y), net)
    vectors = rng.normal(size=(H.shape[1], 32))
    _ = H @ vectors
    return {"tinygrad_math": lambda: H @ vectors, "one product": lambda: H @ vectors[:, 0]}


def gauss_newton_product():
    net = tm.nn.Sequential(tm.nn.Linear(16, 32, rng=0), tm.nn.Tanh(), tm.nn.Linear(32, 4, rng=1))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 16)), rng.normal(size=(64, 4))
    gradient = tm.grad(lambda net: tm.nn.functional.mse_loss(net(x), y))
    v = gradient(net)
    return {
        "tinygrad_math": lambda: tm.ggnvp(lambda net: net(x), lambda z: tm.nn.functional.mse_loss(z, y), net, v),
        "a gradient": lambda: gradient(net),
    }


ROWS = {
    "full Hessian of Rosenbrock, n = 100": hessian_of_rosenbrock,
    "full Hessian of an MLP of 337 parameters, batch 64": hessian_of_a_network,
    "gradients by example, 64-64-10, batch 128": gradients_by_example,
    "Jacobian, 200 by 200": jacobian_in_one_walk,
    "32 Hessian-vector products at once": many_products,
    "a Gauss-Newton product": gauss_newton_product,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat: shows that it runs")
    quick = parser.parse_args().quick
    print(harness.machine())
    for title, row in ROWS.items():
        harness.print_row(title, harness.medians(row(), *((1, 0.0) if quick else (15, 0.1))))


if __name__ == "__main__":
    main()
