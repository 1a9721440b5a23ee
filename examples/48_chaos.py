"""The logistic map as a loop: why the gradient of a long recurrence vanishes or explodes, and what a loop costs."""

import time

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.viz.pictures.canvas import BLUE, RED, figure


def orbit(x, r, steps):
    """The points x, f(x), f(f(x)), ... of f(x) = r x (1 - x)."""
    return tm.scan(lambda x, _: (r * x * (1 - x), x), x, length=steps)


def exponent(r, steps):
    """Lyapunov's exponent, the mean of log |f'(x)| along an orbit: a small error grows by exp of it at each step."""
    points = orbit(0.3, r, steps)[1]
    return tm.log(tm.abs(r * (1 - 2 * points))).mean()


def main(short=False):
    title("The derivative of a loop is the product of its steps' derivatives")
    out = {}
    for r, words in ((2.8, "stable"), (4.0, "chaotic")):
        points = orbit(0.3, r, 20)[1]
        by_hand = float(np.prod(r * (1 - 2 * points.numpy())))
        slope = tm.grad(lambda x, r=r: orbit(x, r, 20)[0])(0.3)
        out[words] = beside(f"{words}, r = {r}: d x20 / d x0", by_hand, slope)
    out["ln 2"] = beside("Lyapunov's exponent of r = 4, ln 2", np.log(2), exponent(4.0, 4000 if short else 40_000))

    title("Newton's method, each example until it is done")
    a = np.array([2.0, 100.0, 1e6])
    root = tm.vmap(
        lambda a: tm.while_loop(
            lambda s: tm.abs(s[0] ** 2 - a) > 1e-9 * a,
            lambda s: ((s[0] + a / s[0]) / 2, s[1] + 1),
            (a, 0),
            max_steps=60,
        )
    )
    out["roots"] = beside("square roots of 2, 100, 1e6", np.sqrt(a), root(a)[0])
    out["slopes"] = beside(
        "their derivatives, 1 / (2 sqrt a)", 0.5 / np.sqrt(a), tm.grad(lambda a: root(a)[0].sum())(a)
    )
    print(f"steps taken: {root(a)[1].tolist()}")

    title("A loop compiles as fast for many steps as for few")
    for steps in (20, 2000):
        slope = tm.compile(tm.grad(lambda x, steps=steps: orbit(x, 2.8, steps)[1].sum()))
        start = time.perf_counter()
        slope(0.3)
        out[f"compile {steps}"] = time.perf_counter() - start
        print(f"{steps:>5} steps: the first call took {out[f'compile {steps}']:.3f} s")

    rates = np.linspace(2.5, 4.0, 200 if short else 1500)
    exponents = tm.compile(tm.vmap(lambda r: exponent(r, 500)))(rates).numpy()
    ends = tm.compile(tm.vmap(lambda r: orbit(0.3, r, 600)[1][500:]))(rates).numpy()
    out["negative"] = float((exponents[rates < 3.4] < 0.01).mean())
    fig, (left, right) = figure(columns=2, size=4.6)
    left.plot(np.repeat(rates, 100), ends.ravel(), ",", color=BLUE)
    left.set(xlabel="r", ylabel="where the orbit goes")
    right.plot(rates, exponents, color=RED, linewidth=0.8)
    right.axhline(0, color="0.6", linewidth=0.8)
    right.set(
        xlabel="r", ylabel="Lyapunov's exponent", ylim=(-2, 1), title="above 0 gradients explode, below they vanish"
    )
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "48_chaos")
    return out


if __name__ == "__main__":
    main()
