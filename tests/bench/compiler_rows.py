"""What bench_compiler.py measures: the same function written for every library, as a pure step over trees of arrays.

Each row returns {contestant: step}; a step returns something that is compared once with what ours returns.
"""

from __future__ import annotations

import itertools

import numpy as np
from convolution_row import convolution
from harness import peer

import tinygrad_math as tm

LR = 0.01


def weights(sizes, dtype, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for n, m in itertools.pairwise(sizes):
        layers += [(rng.standard_normal((n, m)) / np.sqrt(n)).astype(dtype), np.zeros(m, dtype)]
    return layers


def network(tanh, params, x):
    """Layers with tanh (or nothing) in between, in any library that has operators."""
    for w, b in zip(params[:-2:2], params[1:-2:2], strict=True):
        x = x @ w + b
        x = tanh(x) if tanh else x
    return x @ params[-2] + params[-1]


class Losses:
    """The three losses, over a library's own functions."""

    def __init__(self, mean, softplus, lse, tanh):
        self.mean, self.softplus, self.lse, self.tanh = mean, softplus, lse, tanh

    def squared(self, params, x, y):
        e = network(None, params, x) - y
        return self.mean(e * e)

    def logistic(self, params, x, y):
        z = network(self.tanh, params, x)
        return self.mean(self.softplus(z) - y * z)

    def cross_entropy(self, params, x, y):
        z = network(self.tanh, params, x)
        return self.mean(self.lse(z) - (y * z).sum(1))


def plain_lse(xp):
    """log sum exp over axis 1, safe against overflow, for libraries without one."""

    def lse(z):
        top = xp.max(z, axis=1, keepdims=True)
        return xp.log(xp.sum(xp.exp(z - top), axis=1)) + top[:, 0]

    return lse


OURS = Losses(tm.mean, lambda z: tm.logaddexp(0.0, z), lambda z: tm.special.logsumexp(z, axis=1), tm.tanh)


def of_torch(torch):
    return Losses(torch.mean, torch.nn.functional.softplus, lambda z: torch.logsumexp(z, 1), torch.tanh)


def of_jax(jax):
    jnp = jax.numpy
    return Losses(jnp.mean, jax.nn.softplus, lambda z: jax.nn.logsumexp(z, axis=1), jnp.tanh)


def backpropagate(params, hs, g, tanh):
    """The gradients by hand, last layer first, given the gradient at the network's output."""
    out = [None] * len(params)
    for k in range(len(params) - 2, -1, -2):
        h = hs[k // 2]
        out[k], out[k + 1] = h.T @ g, g.sum(axis=0)
        if k:
            g = g @ params[k].T
            if tanh:
                g *= 1 - h * h
    return out


def by_hand(kind, params, x, y):
    """The loss and its gradients as an expert writes them in NumPy."""
    hs, h, tanh = [x], x, kind != "squared"
    for k in range(0, len(params) - 2, 2):
        h = h @ params[k]
        h += params[k + 1]
        if tanh:
            np.tanh(h, out=h)
        hs.append(h)
    z = h @ params[-2]
    z += params[-1]
    n = len(x)
    if kind == "squared":
        z -= y
        flat = z.ravel()
        loss = flat @ flat / z.size
        z *= 2 / z.size
    elif kind == "logistic":
        loss = (np.logaddexp(0, z) - y * z).mean()
        z = (1 / (1 + np.exp(-z)) - y) / n
    else:
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - (y * z).sum(axis=1)).mean()
        e /= total
        e -= y
        e *= z.dtype.type(1 / n)
        z = e
    return loss, backpropagate(params, hs, z, tanh)


def training(sizes, n, dtype, kind):
    """A step of gradient descent. Each contestant updates parameters of its own."""

    def build():
        x, y = data(sizes, n, dtype, kind)
        start = weights(sizes, dtype)

        def update(params, x, y):
            loss, g = tm.value_and_grad(getattr(OURS, kind))(params, x, y)
            return loss, [p - LR * d for p, d in zip(params, g, strict=True)]

        step = tm.compile(update, donate_argnums=0)
        ours, eager, hand = ([p.copy() for p in start] for _ in range(3))

        def compiled():
            nonlocal ours
            loss, ours = step(ours, x, y)
            return loss

        def eagerly():
            nonlocal eager
            loss, eager = update(eager, x, y)
            return loss

        def numpy():
            loss, g = by_hand(kind, hand, x, y)
            for p, d in zip(hand, g, strict=True):
                d *= LR
                p -= d
            return loss

        steps = {"compiled": compiled, "eager": eagerly, "numpy": numpy}
        torch, jax = peer("torch"), peer("jax")
        if torch:
            ps = [torch.tensor(p, requires_grad=True) for p in start]
            tx, ty, torch_loss = torch.tensor(x), torch.tensor(y), getattr(of_torch(torch), kind)
            optimizer = torch.optim.SGD(ps, lr=LR)

            def torch_step():
                optimizer.zero_grad()
                loss = torch_loss(ps, tx, ty)
                loss.backward()
                optimizer.step()
                return loss.detach()

            steps["torch"] = torch_step
        if jax:
            jax_loss = getattr(of_jax(jax), kind)

            def jax_update(params, x, y):
                loss, g = jax.value_and_grad(jax_loss)(params, x, y)
                return loss, [p - LR * d for p, d in zip(params, g, strict=True)]

            jitted = jax.jit(jax_update, donate_argnums=0)
            js, jx, jy = [jax.numpy.asarray(p) for p in start], jax.numpy.asarray(x), jax.numpy.asarray(y)

            def jax_step():
                nonlocal js
                loss, js = jitted(js, jx, jy)
                return loss.block_until_ready()

            steps["jax"] = jax_step
        if peer("autograd"):
            import autograd
            import autograd.numpy as anp

            grad = autograd.value_and_grad(
                getattr(Losses(anp.mean, lambda z: anp.logaddexp(0.0, z), plain_lse(anp), anp.tanh), kind)
            )
            aps = [p.copy() for p in start]

            def autograd_step():
                nonlocal aps
                loss, g = grad(aps, x, y)
                aps = [p - LR * d for p, d in zip(aps, g, strict=True)]
                return loss

            steps["autograd"] = autograd_step
        mg = peer("mygrad")
        if mg:
            mygrad_loss = getattr(Losses(mg.mean, lambda z: mg.logaddexp(0.0, z), plain_lse(mg), mg.tanh), kind)
            mps = [mg.tensor(p) for p in start]

            def mygrad_step():
                loss = mygrad_loss(mps, x, y)
                loss.backward()
                for p in mps:
                    p.data -= LR * p.grad
                    p.null_grad()
                return loss.item()

            steps["mygrad"] = mygrad_step
        return steps

    return build


def data(sizes, n, dtype, kind):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, sizes[0])).astype(dtype)
    if kind == "squared":
        return x, rng.standard_normal((n, sizes[-1])).astype(dtype)
    if kind == "logistic":
        return x, (rng.random((n, 1)) < 0.5).astype(dtype)
    return x, np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], n)]


SIZES = (64, 64, 10)  # 4,810 parameters
COMPILED = {"compiled": "numpy"}  # the contestants that are compiled, and their backends


def gradient(backends=COMPILED):
    x, y = data(SIZES, 128, np.float64, "cross_entropy")
    params = weights(SIZES, np.float64)
    grad = tm.grad(OURS.cross_entropy)
    fast = {name: tm.compile(grad, backend=backend) for name, backend in backends.items()}
    steps = {
        **{name: lambda f=f: f(params, x, y)[0] for name, f in fast.items()},
        "eager": lambda: grad(params, x, y)[0],
        "numpy": lambda: by_hand("cross_entropy", params, x, y)[1][0],
    }
    torch, jax = peer("torch"), peer("jax")
    if torch:
        ps = [torch.tensor(p, requires_grad=True) for p in params]
        tx, ty, loss_of = torch.tensor(x), torch.tensor(y), of_torch(torch).cross_entropy
        steps["torch"] = lambda: torch.autograd.grad(loss_of(ps, tx, ty), ps)[0]
    if jax:
        jitted = jax.jit(jax.grad(of_jax(jax).cross_entropy))
        js, jx, jy = [jax.numpy.asarray(p) for p in params], jax.numpy.asarray(x), jax.numpy.asarray(y)
        steps["jax"] = lambda: jitted(js, jx, jy)[0].block_until_ready()
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        agrad = autograd.grad(Losses(anp.mean, lambda z: anp.logaddexp(0.0, z), plain_lse(anp), anp.tanh).cross_entropy)
        steps["autograd"] = lambda: agrad(params, x, y)[0]
    return steps


def hvp(backends=COMPILED):
    x, y = data(SIZES, 128, np.float64, "cross_entropy")
    params = weights(SIZES, np.float64)
    vs = weights(SIZES, np.float64, seed=3)

    def product(params, vs, x, y):
        return tm.jvp(lambda p: tm.grad(OURS.cross_entropy)(p, x, y), (params,), (vs,))[1]

    fast = {name: tm.compile(product, backend=backend) for name, backend in backends.items()}
    steps = {name: lambda f=f: f(params, vs, x, y)[0] for name, f in fast.items()}
    steps["eager"] = lambda: product(params, vs, x, y)[0]
    torch, jax = peer("torch"), peer("jax")
    if torch:
        ps, tv = [torch.tensor(p) for p in params], [torch.tensor(v) for v in vs]
        tx, ty, torch_loss = torch.tensor(x), torch.tensor(y), of_torch(torch).cross_entropy
        of_params = torch.func.grad(lambda p: torch_loss(p, tx, ty))
        steps["torch"] = lambda: torch.func.jvp(of_params, (ps,), (tv,))[1][0]
    if jax:
        jax_loss = of_jax(jax).cross_entropy
        jitted = jax.jit(lambda p, v, x, y: jax.jvp(jax.grad(lambda q: jax_loss(q, x, y)), (p,), (v,))[1])
        js, jv = ([jax.numpy.asarray(p) for p in tree] for tree in (params, vs))
        jx, jy = jax.numpy.asarray(x), jax.numpy.asarray(y)
        steps["jax"] = lambda: jitted(js, jv, jx, jy)[0].block_until_ready()
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        autograd_loss = Losses(anp.mean, lambda z: anp.logaddexp(0.0, z), plain_lse(anp), anp.tanh).cross_entropy
        agrad = autograd.grad(lambda p: autograd_loss(p, x, y))
        product_ = autograd.grad(lambda p: sum(anp.sum(g * v) for g, v in zip(agrad(p), vs, strict=True)))
        steps["autograd"] = lambda: product_(params)[0]
    return steps


def rosenbrock(n=100):
    """The full Hessian, beside its closed form."""
    x0 = np.random.default_rng(0).standard_normal(n)

    def f(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        return (100 * a * a + b * b).sum()

    fast = tm.compile(tm.hessian(f))

    def closed_form():
        h = np.zeros((n, n))
        i = np.arange(n - 1)
        h[i, i] = 1200 * x0[:-1] ** 2 - 400 * x0[1:] + 2
        h[i + 1, i + 1] += 200
        h[i, i + 1] = h[i + 1, i] = -400 * x0[:-1]
        return h

    steps = {"compiled": lambda: fast(x0), "eager": lambda: tm.hessian(f)(x0), "numpy": closed_form}
    torch, jax = peer("torch"), peer("jax")
    if torch:
        tx, hessian = torch.tensor(x0), torch.func.hessian(f)
        steps["torch"] = lambda: hessian(tx)
    if jax:
        jitted, jx = jax.jit(jax.hessian(f)), jax.numpy.asarray(x0)
        steps["jax"] = lambda: jitted(jx).block_until_ready()
    if peer("autograd"):
        import autograd

        ahessian = autograd.hessian(f)
        steps["autograd"] = lambda: ahessian(x0)
    return steps


def lstm(length=50, n=8, inputs=16, hidden=32, with_jax=True):
    """The gradient of the sum of squares of the last state in the weights, unrolled over time."""
    rng = np.random.default_rng(2)
    xs = rng.standard_normal((length, n, inputs))
    params = [rng.standard_normal((inputs, 4 * hidden)) * 0.1, rng.standard_normal((hidden, 4 * hidden)) * 0.1]
    params.append(np.zeros(4 * hidden))
    zeros = np.zeros((n, hidden))

    def run(sigmoid, tanh, params, xs, h):
        wx, wh, b = params
        c = h
        for k in range(length):
            z = xs[k] @ wx + h @ wh + b
            i, f, g, o = (z[:, j * hidden : (j + 1) * hidden] for j in range(4))
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
        return (h * h).sum()

    grad = tm.grad(lambda p, xs, h: run(tm.sigmoid, tm.tanh, p, xs, h))
    fast = tm.compile(grad)
    steps = {"compiled": lambda: fast(params, xs, zeros)[0], "eager": lambda: grad(params, xs, zeros)[0]}
    torch, jax = peer("torch"), peer("jax")
    if torch:
        ps = [torch.tensor(p, requires_grad=True) for p in params]
        tx, tz = torch.tensor(xs), torch.tensor(zeros)
        steps["torch"] = lambda: torch.autograd.grad(run(torch.sigmoid, torch.tanh, ps, tx, tz), ps)[0]
    if jax and with_jax:
        jitted = jax.jit(jax.grad(lambda p, xs, h: run(jax.nn.sigmoid, jax.numpy.tanh, p, xs, h)))
        js, jx, jz = [jax.numpy.asarray(p) for p in params], jax.numpy.asarray(xs), jax.numpy.asarray(zeros)
        steps["jax"] = lambda: jitted(js, jx, jz)[0].block_until_ready()
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        agrad = autograd.grad(lambda p: run(lambda z: 0.5 * (anp.tanh(0.5 * z) + 1), anp.tanh, p, xs, zeros))
        steps["autograd"] = lambda: agrad(params)[0]
    return steps


def elementwise(backends=COMPILED, n=1_000_000, block=16384):
    """The gradient of the sum of tanh sin exp x; by hand in cache-sized blocks."""
    x = np.random.default_rng(0).standard_normal(n)
    grad = tm.grad(lambda x: tm.sum(tm.tanh(tm.sin(tm.exp(x)))))
    fast = {name: tm.compile(grad, threads=1, backend=backend) for name, backend in backends.items()}
    a, b = np.empty(block), np.empty(block)

    def by_blocks():
        out = np.empty_like(x)
        for start in range(0, n, block):
            part, g = x[start : start + block], out[start : start + block]
            e, c = a[: len(part)], b[: len(part)]
            np.exp(part, out=e)
            np.cos(e, out=c)
            c *= e
            np.sin(e, out=e)
            np.tanh(e, out=e)
            e *= e
            np.subtract(1, e, out=e)
            np.multiply(e, c, out=g)
        return out

    steps = {name: lambda f=f: f(x) for name, f in fast.items()}
    steps |= {"eager": lambda: grad(x), "numpy": by_blocks}
    torch, jax = peer("torch"), peer("jax")
    if torch:
        tx = torch.tensor(x, requires_grad=True)
        steps["torch"] = lambda: torch.autograd.grad(torch.tanh(torch.sin(torch.exp(tx))).sum(), tx)[0]
    if jax:
        jnp = jax.numpy
        jitted, jx = jax.jit(jax.grad(lambda x: jnp.sum(jnp.tanh(jnp.sin(jnp.exp(x)))))), jnp.asarray(x)
        steps["jax"] = lambda: jitted(jx).block_until_ready()
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        agrad = autograd.grad(lambda x: anp.sum(anp.tanh(anp.sin(anp.exp(x)))))
        steps["autograd"] = lambda: agrad(x)
    mg = peer("mygrad")
    if mg:

        def mygrad():
            t = mg.tensor(x)
            mg.tanh(mg.sin(mg.exp(t))).sum().backward()
            return t.grad

        steps["mygrad"] = mygrad
    return steps


def scalar_chain(length=400):
    """A chain of multiply-adds on one number."""

    def chain(x):
        y = x
        for _ in range(length):
            y = y * 1.001 + 0.01
        return y

    fast = tm.compile(tm.grad(chain))
    steps = {"compiled": lambda: fast(1.0), "eager": lambda: tm.grad(chain)(1.0)}
    torch = peer("torch")
    if torch:
        tx = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        steps["torch"] = lambda: torch.autograd.grad(chain(tx), tx)[0]
    if peer("autograd"):
        import autograd

        agrad = autograd.grad(chain)
        steps["autograd"] = lambda: agrad(1.0)
    return steps


ROWS = {
    "linear2": training((4, 3, 2), 16, np.float64, "squared"),
    "moons": training((2, 16, 16, 1), 100, np.float64, "logistic"),
    "digits": training((64, 128, 64, 10), 128, np.float32, "cross_entropy"),
    "gradient 4810": gradient,
    "hvp 4810": hvp,
    "rosenbrock hessian": rosenbrock,
    "lstm": lstm,
    "convolution": convolution,
    "elementwise 1M": elementwise,
    "scalar chain": scalar_chain,
}
