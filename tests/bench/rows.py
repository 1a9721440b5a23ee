"""What is measured: for each row, the same work written for every library. A step returns its loss.

Each row is a function that returns {library: step}; a library that is not installed is left out.
"""

import contextlib
import itertools
from collections.abc import Callable

import harness
import numpy as np
from harness import peer

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

Steps = dict[str, Callable[[], object]]


def weights(sizes, dtype=np.float64, seed=0):
    """[(weight (n, m), bias (m,)), ...] of a network of these sizes."""
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal((n, m)).astype(dtype) / np.sqrt(n).astype(dtype), np.zeros(m, dtype))
        for n, m in itertools.pairwise(sizes)
    ]


def batch(n, inputs, outputs, dtype=np.float64):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, inputs)).astype(dtype), rng.standard_normal((n, outputs)).astype(dtype)


def forward(xp_tanh, layers, x):
    """tanh between the layers, in any library that has operators."""
    for w, b in layers[:-1]:
        x = xp_tanh(x @ w + b)
    w, b = layers[-1]
    return x @ w + b


def training_step(sizes, n, dtype=np.float64, tanh=True, bias=True, lr=0.01) -> Steps:
    """One step of gradient descent on a mean squared error."""
    x, y = batch(n, sizes[0], sizes[-1], dtype)
    layers = weights(sizes, dtype)
    steps: Steps = {"numpy": numpy_step(layers, x, y, lr, tanh, bias)}

    def flat():
        return [a.copy() for pair in layers for a in (pair if bias else pair[:1])]

    def paired(ps):
        return list(zip(ps[::2], ps[1::2], strict=True)) if bias else [(p, 0.0) for p in ps]

    modules = []
    for k, (w, _) in enumerate(layers):
        linear = tm.nn.Linear(*w.shape, bias=bias, dtype=dtype)
        linear.weight.data = w.T
        if bias:
            linear.bias.data = np.zeros(w.shape[1], dtype)
        modules += [linear, tm.nn.Tanh()] if tanh and k < len(layers) - 1 else [linear]
    net = tm.nn.Sequential(*modules)
    opt = tm.optim.SGD(net.parameters(), lr=lr)

    def ours():
        opt.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        return loss

    steps["tinygrad_math"] = ours

    ps = [tm.tensor(p, requires_grad=True) for p in flat()]

    def by_hand():
        loss = ((forward(tm.tanh if tanh else (lambda z: z), paired(ps), tm.asarray(x)) - y) ** 2).mean()
        loss.backward()
        with tm.no_grad():
            for p in ps:
                p -= lr * p.grad
                p.grad = None
        return loss

    steps["ours, operators"] = by_hand

    torch = peer("torch")
    if torch:
        tx, ty = torch.tensor(x), torch.tensor(y)
        tmods = []
        for k, (w, _) in enumerate(layers):
            lin = torch.nn.Linear(*w.shape, bias=bias, dtype=tx.dtype)
            with torch.no_grad():
                lin.weight.copy_(torch.tensor(w.T))
                if bias:
                    lin.bias.zero_()
            tmods += [lin, torch.nn.Tanh()] if tanh and k < len(layers) - 1 else [lin]
        tnet = torch.nn.Sequential(*tmods)
        topt = torch.optim.SGD(tnet.parameters(), lr=lr)

        def torch_step():
            topt.zero_grad()
            loss = torch.nn.functional.mse_loss(tnet(tx), ty)
            loss.backward()
            topt.step()
            return loss

        steps["torch"] = torch_step

    jax = peer("jax")
    if jax:
        jnp = jax.numpy
        box = [[jnp.asarray(p) for p in flat()]]

        @jax.jit
        def jax_update(ps):
            def loss(qs):
                return jnp.mean((forward(jnp.tanh if tanh else (lambda z: z), paired(qs), x) - y) ** 2)

            value, g = jax.value_and_grad(loss)(ps)
            return value, [p - lr * d for p, d in zip(ps, g, strict=True)]

        def jax_step():
            value, box[0] = jax_update(box[0])
            value.block_until_ready()
            return value

        steps["jax jit"] = jax_step

    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        abox = [flat()]
        agrad = autograd.value_and_grad(
            lambda qs: anp.mean((forward(anp.tanh if tanh else (lambda z: z), paired(qs), x) - y) ** 2)
        )

        def autograd_step():
            value, g = agrad(abox[0])
            abox[0] = [p - lr * d for p, d in zip(abox[0], g, strict=True)]
            return value

        steps["autograd"] = autograd_step

    mg = peer("mygrad")
    if mg:
        mps = [mg.tensor(p) for p in flat()]

        def mygrad_step():
            loss = mg.mean((forward(mg.tanh if tanh else (lambda z: z), paired(mps), x) - y) ** 2)
            loss.backward()
            for p in mps:
                p.data -= lr * p.grad
                p.null_grad()
            return loss.item()

        steps["mygrad"] = mygrad_step
    return steps


def numpy_step(layers, x, y, lr, tanh, bias):
    """What a careful person writes by hand."""
    ws = [w.copy() for w, _ in layers]
    bs = [b.copy() for _, b in layers]

    def step():
        hs, h = [x], x
        for k, w in enumerate(ws):
            h = h @ w
            if bias:
                h += bs[k]
            if tanh and k < len(ws) - 1:
                h = np.tanh(h)
            hs.append(h)
        d = hs[-1] - y
        loss = (d * d).mean()
        g = d * (2 / d.size)
        for k in reversed(range(len(ws))):
            gw, gb = hs[k].T @ g, g.sum(axis=0) if bias else None
            if k:
                g = g @ ws[k].T
                if tanh:
                    g *= 1 - hs[k] * hs[k]
            ws[k] -= lr * gw
            if bias:
                bs[k] -= lr * gb
        return loss

    return step


def scalar_chain(n=400) -> Steps:
    """n multiply-adds on single numbers, forward and backward."""

    def chain(x):
        y = x
        for _ in range(n):
            y = y * 1.001 + 0.01
        return y

    def ours():
        x = tm.tensor(1.0, requires_grad=True)
        y = chain(x)
        y.backward()
        return x.grad

    steps: Steps = {"tinygrad_math": ours}
    if peer("micrograd"):
        from micrograd.engine import Value

        def micro():
            x = Value(1.0)
            y = chain(x)
            y.backward()
            return x.grad

        steps["micrograd"] = micro
    torch = peer("torch")
    if torch:

        def torch_step():
            x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
            chain(x).backward()
            return x.grad

        steps["torch"] = torch_step
    return steps


def lstm(steps_in_time=50, n=8, inputs=16, hidden=32) -> Steps:
    """The gradient of the sum of squares of the last state, with respect to the weights."""
    rng = np.random.default_rng(2)
    xs = rng.standard_normal((steps_in_time, n, inputs))
    wx, wh = rng.standard_normal((inputs, 4 * hidden)) * 0.1, rng.standard_normal((hidden, 4 * hidden)) * 0.1
    b = np.zeros(4 * hidden)

    def run(sigmoid, tanh, wx, wh, b, xs, zeros):
        h = c = zeros
        for x in xs:
            z = x @ wx + h @ wh + b
            i, f, g, o = z[:, :hidden], z[:, hidden : 2 * hidden], z[:, 2 * hidden : 3 * hidden], z[:, 3 * hidden :]
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
        return (h * h).sum()

    zeros = np.zeros((n, hidden))
    inputs_ = [tm.asarray(x) for x in xs]
    gradient = tm.value_and_grad(lambda p: run(tm.sigmoid, tm.tanh, *p, inputs_, tm.asarray(zeros)))
    steps: Steps = {"tinygrad_math": lambda: gradient((wx, wh, b))[0]}
    torch = peer("torch")
    if torch:
        tps = [torch.tensor(a, requires_grad=True) for a in (wx, wh, b)]
        txs, tz = [torch.tensor(x) for x in xs], torch.tensor(zeros)

        def torch_step():
            for p in tps:
                p.grad = None
            loss = run(torch.sigmoid, torch.tanh, *tps, txs, tz)
            loss.backward()
            return loss

        steps["torch"] = torch_step
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        agrad = autograd.value_and_grad(lambda p: run(lambda z: 1 / (1 + anp.exp(-z)), anp.tanh, *p, list(xs), zeros))
        steps["autograd"] = lambda: agrad((wx, wh, b))[0]
    mg = peer("mygrad")
    if mg:
        mps = [mg.tensor(a) for a in (wx, wh, b)]

        def mygrad_step():
            loss = run(mg.nnet.activations.sigmoid, mg.tanh, *mps, list(xs), zeros)
            loss.backward()
            for p in mps:
                p.null_grad()
            return loss.item()

        steps["mygrad"] = mygrad_step
    return steps


def seconds_of_a_step(looked: str, budget: float) -> float:
    """The seconds of one training step of a network that nobody looks into ("never"), that was looked into ("before"),
    or that is looked into by detect_anomaly ("anomaly") or watch ("watch")."""
    x, y = batch(100, 2, 1)
    net = tm.nn.Sequential(*(m for n, k in ((2, 16), (16, 16)) for m in (tm.nn.Linear(n, k), tm.nn.Tanh())))
    net.append(tm.nn.Linear(16, 1))
    opt = tm.optim.SGD(net.parameters(), lr=0.01)

    def step():
        opt.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()

    if looked == "before":
        with tm.inspect.detect_anomaly(), tm.inspect.watch(net):
            step()
        tm.record(lambda x: net(x).sum(), x).set("x", 0.0)
    ways = {"anomaly": tm.inspect.detect_anomaly, "watch": lambda: tm.inspect.watch(net)}
    with ways.get(looked, contextlib.nullcontext)():
        return harness.medians({"step": step}, 15, budget / 15)["step"]
