"""Loops in compiled functions: `tm.scan` and `tm.fori_loop`, as NumPy and as machine code, beside the same steps
written out, and JAX's loops.

    python tests/bench/bench_loops.py [--quick] [--only NAME] [--avx2]

The contestants of a row run in turn, again and again; the table shows the least time of each, one thread, and the time
of the first call, which compiles. First all of them have to agree. JAX and machine code are left out where JAX and
llvmlite are not installed.
"""

from __future__ import annotations

import argparse
import sys
import time

import harness  # before NumPy: it sets the number of threads
import numpy as np

import tinygrad_math as tm

COLUMNS = ("loop", "native", "written out", "eager", "jax")


def lstm(length=50, n=8, inputs=16, hidden=32, unrolled=True):
    """The gradient of the sum of squares of an LSTM's last state in its weights."""
    rng = np.random.default_rng(2)
    xs = rng.standard_normal((length, n, inputs))
    params = [rng.standard_normal((inputs, 4 * hidden)) * 0.1, rng.standard_normal((hidden, 4 * hidden)) * 0.1]
    params.append(np.zeros(4 * hidden))
    zeros = np.zeros((n, hidden))

    def cell(sigmoid, tanh, params, state, x):
        (h, c), (wx, wh, b) = state, params
        z = x @ wx + h @ wh + b
        i, f, g, o = (z[:, j * hidden : (j + 1) * hidden] for j in range(4))
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    def by_loop(scan, sigmoid, tanh):
        def loss(params, xs, h):
            h, _ = scan(lambda s, x: (cell(sigmoid, tanh, params, s, x), None), (h, h), xs)[0]
            return (h * h).sum()

        return loss

    def written_out(params, xs, h):
        state = h, h
        for k in range(length):
            state = cell(tm.sigmoid, tm.tanh, params, state, xs[k])
        return (state[0] * state[0]).sum()

    loss = by_loop(tm.scan, tm.sigmoid, tm.tanh)
    fast, slow = tm.compile(tm.grad(loss)), tm.compile(tm.grad(written_out))
    steps = {"loop": lambda: fast(params, xs, zeros)[1]}
    if harness.peer("llvmlite"):
        native = tm.compile(tm.grad(loss), backend="native")
        steps["native"] = lambda: native(params, xs, zeros)[1]
    if unrolled:
        steps["written out"] = lambda: slow(params, xs, zeros)[1]
        steps["eager"] = lambda: tm.grad(loss)(params, xs, zeros)[1]
    jax = harness.peer("jax")
    if jax:
        jitted = jax.jit(jax.grad(by_loop(jax.lax.scan, jax.nn.sigmoid, jax.numpy.tanh)))
        given = [[jax.numpy.asarray(p) for p in params], jax.numpy.asarray(xs), jax.numpy.asarray(zeros)]
        steps["jax"] = lambda: jitted(*given)[1].block_until_ready()
    return steps


def rnn(length=100, n=16):
    """The value of a loss over all states of one small recurrent network, a vector for each step."""
    rng = np.random.default_rng(3)
    w, xs = rng.standard_normal((n, n)) / np.sqrt(n), rng.standard_normal((length, n))

    def by_loop(scan, tanh, zeros):
        def loss(w, xs):
            ys = scan(lambda h, x: (tanh(h @ w + x),) * 2, zeros, xs)[1]
            return (ys * ys).sum()

        return loss

    def written_out(w, xs):
        h, total = tm.zeros(n), 0.0
        for k in range(length):
            h = tm.tanh(h @ w + xs[k])
            total = total + (h * h).sum()
        return total

    loss = by_loop(tm.scan, tm.tanh, np.zeros(n))
    fast, slow = tm.compile(tm.grad(loss)), tm.compile(tm.grad(written_out))
    steps = {"loop": lambda: fast(w, xs), "written out": lambda: slow(w, xs), "eager": lambda: tm.grad(loss)(w, xs)}
    if harness.peer("llvmlite"):
        native = tm.compile(tm.grad(loss), backend="native")
        steps["native"] = lambda: native(w, xs)
    jax = harness.peer("jax")
    if jax:
        jitted = jax.jit(jax.grad(by_loop(jax.lax.scan, jax.numpy.tanh, jax.numpy.zeros(n))))
        jw, jx = jax.numpy.asarray(w), jax.numpy.asarray(xs)
        steps["jax"] = lambda: jitted(jw, jx).block_until_ready()
    return steps


def training(steps_taken=100):
    """Gradient descent on a linear network of two layers, 4-3-2, batch 16, for 100 steps."""
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((16, 4)), rng.standard_normal((16, 2))
    start = (rng.standard_normal((4, 3)) * 0.5, np.zeros(3), rng.standard_normal((3, 2)) * 0.5, np.zeros(2))

    def loss(p, x, y):
        e = (x @ p[0] + p[1]) @ p[2] + p[3] - y
        return (e * e).mean()

    def by_loop(loop, grad):
        def step(p, x, y):
            return tuple(a - 0.01 * d for a, d in zip(p, grad(loss)(p, x, y), strict=True))

        return lambda p, x, y: loop(steps_taken, lambda i, p: step(p, x, y), p)

    fast, slow = tm.compile(by_loop(tm.fori_loop, tm.grad)), by_loop(tm.fori_loop, tm.grad)
    steps = {"loop": lambda: fast(start, x, y)[0], "eager": lambda: slow(start, x, y)[0]}
    if harness.peer("llvmlite"):
        native = tm.compile(slow, backend="native")
        steps["native"] = lambda: native(start, x, y)[0]
    jax = harness.peer("jax")
    if jax:
        run = by_loop(lambda n, body, init: jax.lax.fori_loop(0, n, body, init), jax.grad)
        jitted, given = jax.jit(run), jax.tree_util.tree_map(jax.numpy.asarray, (start, x, y))
        steps["jax"] = lambda: jitted(*given)[0].block_until_ready()
    return steps


ROWS = {
    "lstm 50": lstm,
    "lstm 1000": lambda: lstm(1000, unrolled=False),
    "rnn 100": rnn,
    "training 100": training,
}


def first_calls(title, steps):
    """The time of each contestant's first call; raises unless all agree."""
    found, took = {}, {}
    for name, step in steps.items():
        start = time.perf_counter()
        y = step()
        took[name] = time.perf_counter() - start
        found[name] = np.asarray(y.numpy() if hasattr(y, "numpy") else y)
        if not np.allclose(found["loop"], found[name], rtol=1e-6, atol=1e-9):
            raise SystemExit(f"{title}: {name} computes something else")
    return took


def least(steps, repeats):
    """The least time of a call of each, over interleaved repeats."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(repeats):
        for name, step in steps.items():
            best[name] = min(best[name], harness.seconds(step, 1))
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="one repeat, and the longest loop shortened: to see that it runs"
    )
    parser.add_argument("--only", help="the rows whose name contains this")
    options, _ = parser.parse_known_args()
    print(harness.machine())
    print("".join(f"{h:>22}" for h in ("work", *COLUMNS)))
    for title, build in ROWS.items():
        if options.only and options.only not in title:
            continue
        steps = lstm(100, unrolled=False) if options.quick and title == "lstm 1000" else build()
        took = first_calls(title, steps)
        best = least(steps, 1 if options.quick else 200)
        cells = [title]
        for name in COLUMNS:
            known = name in best
            cells.append(f"{best[name] * 1e6:.0f} µs ({took[name]:.2f} s)" if known else "")
        print("".join(f"{c:>22}" for c in cells), flush=True)
    print("In brackets: the first call, which compiles.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
