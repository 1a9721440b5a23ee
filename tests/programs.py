"""Random programs: a seed gives a composition of 3 to 30 steps over arrays of random shapes, for any namespace.

`program(seed)` is built by running it in NumPy: a step is taken where NumPy's answer is finite, of moderate size and
slope, and away from the kinks of the function. So finite differences mean something, and NumPy is the oracle.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special
from moves import MOVES
from wording import words

import tinygrad_math as tm

SHAPES = [
    (),
    (1,),
    (3,),
    (4,),
    (4, 3),
    (3, 4),
    (1, 3),
    (4, 1),
    (3, 3),
    (2, 2),
    (2, 3, 3),
    (2, 4, 3),
    (0,),
    (0, 3),
    (2, 0, 3),
]
COMMON = [1.0] * 8 + [2.0] * 3 + [1.0] + [0.3] * 3  # square matrices often, empty arrays seldom
REACH = 2e-3  # how far finite differences go; the program is smooth that far


class Numpy:
    """NumPy and SciPy under the names of this package: the oracle."""

    special, fft = scipy.special, np.fft

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    class linalg:
        def __getattr__(self, name: str) -> Any:
            return getattr(np.linalg, name) if hasattr(np.linalg, name) else getattr(scipy.linalg, name)

    linalg = linalg()  # type: ignore[assignment,misc]

    @staticmethod
    def assign(x, index, value, how):
        x = np.array(x)
        if how == "add":
            np.add.at(x, index, value)
        elif how == "multiply":
            np.multiply.at(x, index, value)
        else:
            x[index] = value
        return x[()]

    @staticmethod
    def cov(x):  # NumPy's own takes single precision to double
        return np.cov(x, dtype=x.dtype)

    @staticmethod
    def vander(x, n):
        return np.vander(x, n).astype(x.dtype)

    @staticmethod
    def view_before_assignment(x, index):
        return np.array(x)[index]

    @staticmethod
    def softabs(x):
        return np.sqrt(x * x + 0.1)

    @staticmethod
    def inner_grad(x):  # of sum(sin(z) z)
        return np.cos(x) * x + np.sin(x)

    @staticmethod
    def inner_jvp(x):  # of tanh along x
        return (1 - np.tanh(x) ** 2) * x

    @staticmethod
    def inner_hvp(x):  # of sum(z^4) / 12 along x
        return x**3

    @staticmethod
    def checkpointed(x):
        return np.sin(x) * np.exp(-x * x)

    @staticmethod
    def over_a_tree(x):  # gradient of a b^2 in both, added
        return x * x + 2 * np.sin(x) * x

    @staticmethod
    def by_a_root(x):  # of z^3 = 2 + tanh(x)
        return np.cbrt(2 + np.tanh(x))


@tm.primitive
def _softabs(x):
    return np.sqrt(x * x + 0.1)


_softabs.defvjp(lambda g, y, x: g * x / y)
_softabs.defjvp(lambda t, y, x: t * x / y)


class Ours(Numpy):
    """This package."""

    special, linalg, fft = tm.special, tm.linalg, tm.fft
    cov, vander = staticmethod(tm.cov), staticmethod(tm.vander)  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(tm, name)

    @staticmethod
    def assign(x, index, value, how):
        if how != "inplace":
            return getattr(x.at[index], how)(value)
        y = tm.reshape(x, x.shape)  # shares its memory with x, which must not change
        y[index] = value
        return y

    @staticmethod
    def view_before_assignment(x, index):
        y = tm.reshape(x, x.shape)
        view = y[index]
        y[...] = 7.0
        y += 1.0
        return view

    softabs = staticmethod(_softabs)

    @staticmethod
    def inner_grad(x):
        return tm.grad(lambda z: tm.sum(tm.sin(z) * z))(x)

    @staticmethod
    def inner_jvp(x):
        return tm.jvp(tm.tanh, (x,), (x,))[1]

    @staticmethod
    def inner_hvp(x):
        return tm.hvp(lambda z: tm.sum(z**4) / 12, x, x)

    @staticmethod
    def checkpointed(x):
        return tm.checkpoint(lambda z: tm.sin(z) * tm.exp(-z * z))(x)

    @staticmethod
    def over_a_tree(x):
        g = tm.grad(lambda p: tm.sum(p["a"] * p["b"][0] ** 2))({"a": tm.sin(x), "b": [x, None]})
        return g["a"] + g["b"][0]

    @staticmethod
    def by_a_root(x):
        return tm.implicit.root(lambda z, c: z**3 - c, lambda c: np.cbrt(c))(2 + tm.tanh(x))


class Dispatched(Ours):
    """NumPy's own functions, handed Tensors."""

    linalg, fft = np.linalg, np.fft
    cov, vander = staticmethod(np.cov), staticmethod(np.vander)  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(tm if name.startswith("atleast") else np, name)  # NumPy's give an array of what is constant


NUMPY, OURS, DISPATCHED = Numpy(), Ours(), Dispatched()


@dataclass
class Step:
    name: str
    arguments: tuple[int, ...]
    call: Callable[..., Any]

    def text(self, name: str) -> str:
        """The statement that gives the value of this name."""
        expression, above = words(self.call, *(f"v{k}" for k in self.arguments))
        return "\n".join([*above, f"{name} = {expression}"])


@dataclass
class Program:
    """Inputs, the steps, and what is returned: every value that no step uses."""

    seed: int
    inputs: list[Any]
    steps: list[Step]
    outputs: list[int]

    def on(self, xp: Any) -> Callable[..., tuple[Any, ...]]:
        def f(*xs: Any) -> tuple[Any, ...]:
            values = list(xs)
            for s in self.steps:
                y = s.call(xp, *(values[k] for k in s.arguments))
                values.append(np.complex128(y) if type(y) is complex else y)  # of 1j * np.float64
            return tuple(values[k] for k in self.outputs)

        return f

    def loss(self, xp: Any) -> Callable[..., Any]:
        """One number made of all outputs, never linear in them."""
        f = self.on(xp)

        def loss(*xs: Any) -> Any:
            total = 0.0
            for y in f(*xs):
                w = np.cos(np.arange(1.0, 1 + np.size(np.empty(y.shape)))).reshape(y.shape).astype(np.float32)
                y = xp.real(y * xp.conj(y)) + xp.real(y) + xp.imag(y) if y.dtype.kind == "c" else y * y + y
                total = total + xp.sum(w * y)
            return total

        return loss

    def __str__(self) -> str:
        lines = [f"# seed {self.seed}"] + [f"v{k} = ...  # {x.dtype}{x.shape}" for k, x in enumerate(self.inputs)]
        lines += [s.text(f"v{k}") for k, s in enumerate(self.steps, len(self.inputs))]
        return "\n".join([*lines, f"return {', '.join(f'v{k}' for k in self.outputs)}"])


def _laid_out(rng: Any, x: Any) -> Any:
    """The same numbers, read-only, in one of the ways in which they can lie in memory."""
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 0] = x
    options = [x, x.T.copy().T, wide[..., 0], np.array(x[::-1])[::-1] if x.ndim else x]
    x = options[int(rng.integers(len(options)))]
    x.flags.writeable = False
    return x


def directions(rng: Any, arrays: Sequence[Any]) -> list[Any]:
    """A random tangent for each array."""
    out = []
    for x in arrays:
        t = rng.uniform(-1, 1, x.shape)
        out.append(np.asarray(t + 1j * rng.uniform(-1, 1, x.shape) if x.dtype.kind == "c" else t, x.dtype))
    return out


class _Value:
    """What a step gives at the inputs and at two points beside them."""

    def __init__(self, at: Sequence[Any]) -> None:
        self.at = [np.asarray(a)[()] for a in at]
        self.shape = np.shape(self.at[0])

    def moderate(self) -> bool:
        x, a, b = self.at
        if x.dtype.kind not in "fc" or not all(np.all(np.isfinite(v)) for v in self.at) or x.size > 72 or x.ndim > 4:
            return False
        size = np.abs(x).max(initial=0.0)
        slope = np.abs(a - b).max(initial=0.0) / (2 * REACH)
        bend = np.abs(a - 2 * x + b).max(initial=0.0) / REACH**2
        return bool(size < 30 and slope < 100 and bend < 1000)


def _smooth(gaps: Callable[..., Any], arguments: Sequence[_Value]) -> bool:
    """Whether the distances from the kinks stay well away from zero at and around the inputs."""
    here, *around = [np.asarray(gaps(*(v.at[k] for v in arguments))) for k in range(3)]
    return all(np.all(np.abs(here) > 0.01) and np.all(np.abs(a - here) < 0.2 * np.abs(here)) for a in around)


def _try_step(rng: Any, pool: list[_Value], weights: Any) -> tuple[Step, _Value] | None:
    name, arity, _, draw = MOVES[int(rng.choice(len(MOVES), p=weights))]
    recent = np.arange(1, len(pool) + 1) ** 2.0
    chosen = tuple(int(k) for k in rng.choice(len(pool), size=arity, p=recent / recent.sum()))
    arguments = [pool[k] for k in chosen]
    try:
        drawn = draw(rng, *(v.at[0] for v in arguments))
        if drawn is None:
            return None
        call, gaps = drawn if isinstance(drawn, tuple) else (drawn, None)
        if gaps is not None and not _smooth(gaps, arguments):
            return None
        value = _Value([call(NUMPY, *(v.at[k] for v in arguments)) for k in range(3)])
    except (ValueError, IndexError, TypeError, ZeroDivisionError, np.linalg.LinAlgError):  # NumPy says no
        return None
    return (Step(name, chosen, call), value) if value.moderate() else None


@cache
def _weights() -> Any:
    w = np.array([weight for *_, weight, _ in MOVES])
    return w / w.sum()


def program(seed: int, longest: int = 30) -> Program:
    """The program of this seed."""
    rng = np.random.default_rng([seed, 4711])
    p = np.array(COMMON) / sum(COMMON)
    inputs = []
    for k in rng.choice(len(SHAPES), size=int(rng.integers(1, 4)), p=p):
        x = np.asarray(rng.uniform(-1.2, 1.2, SHAPES[k]))
        x = np.asarray(x + 1j * rng.uniform(-1, 1, x.shape)) if rng.random() < 0.1 else x
        inputs.append(_laid_out(rng, x))
    ts = directions(rng, inputs)
    pool = [_Value([x, x + REACH * t, x - REACH * t]) for x, t in zip(inputs, ts, strict=True)]
    steps: list[Step] = []
    length = int(rng.integers(3, longest + 1))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while len(steps) < length:
            found = _try_step(rng, pool, _weights())
            if found is not None:
                steps.append(found[0])
                pool.append(found[1])
    used = {k for s in steps for k in s.arguments}
    return Program(seed, inputs, steps, [k for k in range(len(inputs), len(pool)) if k not in used])
