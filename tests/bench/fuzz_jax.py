"""Random programs beside JAX, value, gradient and Hessian-vector product: fuzz_jax.py [FIRST [COUNT]]

A program with a function that JAX does not have is left out; the last line says how many were.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from harness import peer

sys.path.insert(0, str(Path(__file__).parents[1]))
from programs import OURS, Numpy, Program, directions, program

import tinygrad_math as tm

jax = None  # imported by main()
REFUSALS = (AttributeError, IndexError, NotImplementedError, TypeError, ValueError)  # a name or a case that JAX lacks


class Jax(Numpy):
    """JAX under the names of this package."""

    def __init__(self) -> None:
        import jax.scipy

        self.special, self.linalg, self.fft = jax.scipy.special, jax.numpy.linalg, jax.numpy.fft
        self.cov, self.vander = jax.numpy.cov, jax.numpy.vander

    def __getattr__(self, name):
        return getattr(jax.numpy, name)

    @staticmethod
    def assign(x, index, value, how):
        at = jax.numpy.asarray(x).at[np.asarray(index) if isinstance(index, list) else index]
        return getattr(at, "set" if how == "inplace" else how)(value)

    @staticmethod
    def view_before_assignment(x, index):
        return x[index]

    @staticmethod
    def softabs(x):
        return jax.numpy.sqrt(x * x + 0.1)

    @staticmethod
    def inner_grad(x):
        return jax.grad(lambda z: jax.numpy.sum(jax.numpy.sin(z) * z))(x)

    @staticmethod
    def inner_jvp(x):
        return jax.jvp(jax.numpy.tanh, (x,), (x,))[1]

    @staticmethod
    def inner_hvp(x):
        return x**3

    @staticmethod
    def checkpointed(x):
        return jax.checkpoint(lambda z: jax.numpy.sin(z) * jax.numpy.exp(-z * z))(x)

    @staticmethod
    def over_a_tree(x):
        return x * x + 2 * jax.numpy.sin(x) * x

    @staticmethod
    def by_a_root(x):
        return jax.numpy.cbrt(2 + jax.numpy.tanh(x))


def of_jax(p: Program, vs):
    """Value, gradient and product with the Hessian in JAX, which conjugates the gradient."""
    loss, everything = p.loss(Jax()), tuple(range(len(p.inputs)))
    xs = tuple(map(jax.numpy.asarray, p.inputs))
    value, gradient = jax.value_and_grad(loss, argnums=everything)(*xs)
    _, hv = jax.jvp(jax.grad(loss, argnums=everything), xs, vs)
    return [value, *map(np.conj, gradient), *map(np.conj, hv)]


def of_ours(p: Program, vs):
    loss, everything = p.loss(OURS), tuple(range(len(p.inputs)))
    value, gradient = tm.value_and_grad(loss, argnums=everything)(*p.inputs)
    return [t.numpy() for t in (value, *gradient, *tm.hvp(loss, tuple(p.inputs), vs))]


def main() -> None:
    global jax
    jax = peer("jax")
    if jax is None:
        sys.exit("JAX is not installed: pip install tinygrad_math[bench]")
    first, count = map(int, [*sys.argv[1:3], *("0", "100")[len(sys.argv) - 1 :]])
    left_out: dict[str, int] = {}
    wrong = 0
    for seed in range(first, first + count):
        p = program(seed)
        vs = tuple(directions(np.random.default_rng(seed), p.inputs))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = of_jax(p, vs)
            except REFUSALS as error:
                reason = str(error).splitlines()[0][:90]
                left_out[reason] = left_out.get(reason, 0) + 1
                continue
            for k, (a, b) in enumerate(zip(of_ours(p, vs), theirs, strict=True)):
                b = np.asarray(b)
                if not np.abs(a - b).max(initial=0.0) <= 1e-8 * (1 + np.abs(b).max(initial=0.0)):
                    wrong += 1
                    print(f"result {k}: {a}, JAX {b}\n{p}", flush=True)
                    break
    for reason, n in sorted(left_out.items(), key=lambda item: -item[1]):
        print(f"left out {n:4d}: {reason}")
    print(f"{count} programs: {count - sum(left_out.values())} compared, {wrong} differ")


if __name__ == "__main__":
    main()
