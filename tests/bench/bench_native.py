"""Native programs beside compiled NumPy, NumPy by hand and JAX: single steps, and training loops as one call.

    python tests/bench/bench_native.py [--quick] [--only NAME] [--markdown] [--avx2]

The contestants of a row run in turn, again and again; the table shows medians, one thread each, after all have agreed.
A loop is `tm.fori_loop` in a native program and `jax.lax.fori_loop` in JAX; NumPy by hand and the compiled step are
called from Python once a step. Times are those of a step; in a bank, of a step of all of its 256 networks.
"""

from __future__ import annotations

import argparse
import sys
import time

import harness  # before NumPy: it sets the number of threads
import numpy as np
from compiler_rows import LR, OURS, by_hand, data, elementwise, gradient, hvp, of_jax, weights
from harness import peer

import tinygrad_math as tm

GOALS = {  # the ratio of medians that must hold: native to the contestant's
    ("linear2 step", "compiled"): 0.35, ("linear2 step", "jax"): 0.15,
    ("linear2 loop", "compiled"): 0.12, ("linear2 loop", "numpy"): 0.06, ("linear2 loop", "jax"): 0.4,
    ("moons loop", "compiled"): 0.6, ("moons loop", "jax"): 0.6,
    ("digits loop", "compiled"): 0.95, ("digits loop", "jax"): 0.6, ("lstm gradient", "compiled"): 0.5,
    ("linear2 bank", "one by one"): 0.2,
    ("gradient 4810", "jax"): 0.6, ("hvp 4810", "jax"): 0.6, ("elementwise 1M", "jax"): 0.9,
}  # fmt: skip
COLUMNS = ("compiled", "numpy", "jax", "one by one")
NETWORKS = {
    "linear2": ((4, 3, 2), 16, np.float64, "squared"),
    "moons": ((2, 16, 16, 1), 100, np.float64, "logistic"),
    "digits": ((64, 128, 64, 10), 128, np.float32, "cross_entropy"),
}


def network(name):
    """Start, batch, one step of gradient descent as a pure function, and the step by hand, in place."""
    sizes, n, dtype, kind = NETWORKS[name]
    x, y = data(sizes, n, dtype, kind)

    def update(params, x, y):
        loss, g = tm.value_and_grad(getattr(OURS, kind))(params, x, y)
        return loss, [p - LR * d for p, d in zip(params, g, strict=True)]

    def hand(params):
        loss, g = by_hand(kind, params, x, y)
        for p, d in zip(params, g, strict=True):
            d *= LR
            p -= d
        return loss

    return weights(sizes, dtype), x, y, update, hand, kind


def jax_update(kind):
    jax = peer("jax")
    loss_of = getattr(of_jax(jax), kind)

    def update(params, x, y):
        loss, g = jax.value_and_grad(loss_of)(params, x, y)
        return loss, [p - LR * d for p, d in zip(params, g, strict=True)]

    return jax, update


def step(name):
    """Contestants of a single step, which hands its parameters on; each returns its loss."""
    start, x, y, update, hand, kind = network(name)

    def ours(backend):
        f, box = tm.compile(update, donate_argnums=0, backend=backend), [[tm.tensor(p) for p in start]]
        tx, ty = tm.tensor(x), tm.tensor(y)

        def run():
            loss, box[0] = f(box[0], tx, ty)
            return loss

        return run

    own = [p.copy() for p in start]
    steps = {"native": ours("native"), "compiled": ours("numpy"), "numpy": lambda: hand(own)}
    if peer("jax"):
        jax, other = jax_update(kind)
        jitted, box = jax.jit(other, donate_argnums=0), [[jax.numpy.asarray(p) for p in start]]
        jx, jy = jax.numpy.asarray(x), jax.numpy.asarray(y)

        def jax_step():
            loss, box[0] = jitted(box[0], jx, jy)
            return loss.block_until_ready()

        steps["jax"] = jax_step
    return steps, 1


def loop(name, count):
    """Contestants of so many steps from the same start; each returns the first parameter."""
    start, x, y, update, hand, kind = network(name)
    train = tm.compile(lambda ps, x, y: tm.fori_loop(count, lambda k, ps: update(ps, x, y)[1], ps), backend="native")
    one = tm.compile(update, donate_argnums=0)

    def compiled():
        ps = [tm.tensor(p) for p in start]
        for _ in range(count):
            _, ps = one(ps, x, y)
        return ps[0]

    def numpy():
        ps = [p.copy() for p in start]
        for _ in range(count):
            hand(ps)
        return ps[0]

    steps = {"native": lambda: train(start, x, y)[0], "compiled": compiled, "numpy": numpy}
    if peer("jax"):
        jax, other = jax_update(kind)
        jx, jy = jax.numpy.asarray(x), jax.numpy.asarray(y)
        whole = jax.jit(lambda ps: jax.lax.fori_loop(0, count, lambda k, ps: other(ps, jx, jy)[1], ps))
        js = [jax.numpy.asarray(p) for p in start]
        steps["jax"] = lambda: whole(js)[0].block_until_ready()
    return steps, count


def bank(name, count, many=256):
    """Contestants of so many steps of many networks from starts and with rates of their own, which share the batch.

    All at once in a native program, and a native program for each, one after the other.
    """
    start, x, y, _, _, kind = network(name)
    rng = np.random.default_rng(1)
    starts = [np.stack([p + 0.1 * rng.standard_normal(p.shape).astype(p.dtype) for _ in range(many)]) for p in start]
    rates = (LR * np.linspace(0.5, 1.0, many)).astype(x.dtype)

    def train(ps, rate, x, y):
        slopes = tm.grad(getattr(OURS, kind))
        step = lambda k, ps: [p - rate * d for p, d in zip(ps, slopes(ps, x, y), strict=True)]  # noqa: E731
        return tm.fori_loop(count, step, ps)

    together = tm.compile(tm.vmap(train, in_axes=(0, 0, None, None)), backend="native")
    alone = tm.compile(train, backend="native")
    parts = [[np.ascontiguousarray(p[k]) for p in starts] for k in range(many)]

    def one_by_one():
        found = [alone(ps, rate, x, y)[0] for ps, rate in zip(parts, rates, strict=True)]
        return np.stack([p.numpy() for p in found])

    return {"native": lambda: together(starts, rates, x, y)[0], "one by one": one_by_one}, count


def lstm():
    """The gradient of an LSTM of 32 units over 50 steps of a batch of 16."""
    rng = np.random.default_rng(0)
    n, d, h, length = 16, 8, 32, 50
    xs, w, u, b = (
        rng.normal(size=(length, n, d)),
        rng.normal(size=(d, 4 * h)),
        rng.normal(size=(h, 4 * h)),
        np.zeros(4 * h),
    )
    w, u = w / np.sqrt(d), u / np.sqrt(h)

    def cell(c, h_, x, w, u, b):
        z = x @ w + h_ @ u + b
        i, f, o, g = (z[:, k * h : (k + 1) * h] for k in range(4))
        c = tm.special.expit(f) * c + tm.special.expit(i) * tm.tanh(g)
        return c, tm.special.expit(o) * tm.tanh(c)

    def written_out(w, u, b):
        c = h_ = tm.zeros((n, h))
        for x in xs:
            c, h_ = cell(c, h_, x, w, u, b)
        return tm.mean(h_ * h_)

    def scanned(w, u, b):
        zero = tm.zeros((n, h))
        (_, h_), _ = tm.scan(lambda s, x: (cell(*s, x, w, u, b), None), (zero, zero), tm.tensor(xs))
        return tm.mean(h_ * h_)

    native = tm.compile(tm.grad(scanned), backend="native")
    compiled = tm.compile(tm.grad(written_out))
    steps = {"native": lambda: native(w, u, b), "compiled": lambda: compiled(w, u, b)}
    return steps, 1


def whole(row):
    """Contestants of one call, of a row that is timed beside PyTorch and others too."""
    steps = row({"native": "native", "compiled": "numpy"})
    return {name: steps[name] for name in ("native", *COLUMNS) if name in steps}, 1


ROWS = {
    "linear2 step": lambda quick: step("linear2"),
    "linear2 loop": lambda quick: loop("linear2", 100 if quick else 10_000),
    "moons step": lambda quick: step("moons"),
    "moons loop": lambda quick: loop("moons", 50 if quick else 2000),
    "digits loop": lambda quick: loop("digits", 20 if quick else 200),
    "linear2 bank": lambda quick: bank("linear2", 20 if quick else 1000),
    "moons bank": lambda quick: bank("moons", 5 if quick else 50),
    "lstm gradient": lambda quick: lstm(),
    "gradient 4810": lambda quick: whole(gradient),
    "hvp 4810": lambda quick: whole(hvp),
    "elementwise 1M": lambda quick: whole(elementwise),
}


def check(title, steps):
    """Raise unless every contestant's first answer is that of the native program; the time of its first call."""
    start = time.perf_counter()
    ours = np.asarray(steps["native"]().numpy())
    took = time.perf_counter() - start
    for name, other in steps.items():
        if name != "native":
            answer = other()
            answer = np.asarray(answer.numpy() if hasattr(answer, "numpy") else answer)
            if not np.allclose(ours, answer, rtol=1e-3 if ours.dtype == np.float32 else 1e-6, atol=1e-5):
                raise SystemExit(f"{title}: {name} computes something else")
    return took


def making(repeats):
    """The time to make a program of some thirty instructions, for NumPy and natively: the least of some."""
    x = np.ones((5, 3))

    def f(x, k):
        for _ in range(15):
            x = tm.tanh(x * (1.0 + k)) + 0.5
        return tm.sum(x)

    found = {"numpy": [], "native": []}
    for k in range(repeats + 1):
        for backend, times in found.items():
            g = tm.compile(f, static_argnums=1, backend=backend)
            start = time.perf_counter()
            g(x, float(k))
            times.append(time.perf_counter() - start)
    return {backend: min(times[1:]) for backend, times in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one repeat, shorter loops: to see that it runs")
    parser.add_argument("--only", help="the rows whose name contains this")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    print(harness.machine())
    heads, bar = ["work", "native", "first call", *COLUMNS], " | ".join
    line = "| " + bar(heads) + " |\n|" + " --- |" * len(heads)
    print(line if options.markdown else "".join(f"{h:>20}" for h in heads))
    missed = []
    for title, build in ROWS.items():
        if options.only and options.only not in title:
            continue
        steps, count = build(options.quick)
        took = check(title, steps)
        result = harness.medians(steps, *((1, 0.0) if options.quick else (31, 0.02)))
        ours = result["native"]
        cells = [title, f"{ours / count * 1e6:.2f} µs", f"{took:.2f} s"]
        for column in COLUMNS:
            if column not in result:
                cells.append("")
                continue
            ratio, goal = ours / result[column], GOALS.get((title, column))
            mark = "" if goal is None else " ok" if ratio <= goal else " !"
            cells.append(f"{result[column] / count * 1e6:.2f} ({ratio:.2f}{mark})")
            if mark == " !":
                missed.append(f"{title} / {column} is {ratio:.2f}, goal {goal}")
        print(f"| {bar(cells)} |" if options.markdown else "".join(f"{c:>20}" for c in cells), flush=True)
    if not options.only:
        made = making(1 if options.quick else 30)
        print(
            f"making a program: native / NumPy {made['native'] / made['numpy']:.2f} (goal 1.5), "
            f"{made['native'] * 1e3:.1f} ms"
        )
    print("In brackets: native / other. " + ("All goals met." if not missed else "Missed: " + "; ".join(missed) + "."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
