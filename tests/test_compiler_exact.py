"""Compiled equals eager: value, dtype, NaN, infinity, the sign of zero, at the ends of every dtype."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm

EXTREME = {
    "float64": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e308, -1e308, 1e-308, 5e-324, 709.0, -745.0, 0.3],
    "float32": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-38, 1e-45, 88.0, 0.3],
    "float16": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 65504.0, -65504.0, 6e-5, 6e-8, 0.3],
    "bool": [False, True],
    "int8": [0, 1, -1, 127, -128, 3],
    "int64": [0, 1, -1, 2**62, -(2**63), 7],
    "uint8": [0, 1, 255, 7],
}
TYPES = ["float64"] * 6 + ["float32"] * 3 + ["float16"] * 2 + ["bool", "int8", "int64", "uint8"]
SHAPES = [(), (1,), (3,), (4, 3), (4, 1), (1, 3), (3, 3)]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 0.1, 3.0, 1e-300, 1e300, 0, 1, -2, True, False, np.inf, np.float32(0.1)]
NUMBERS += [np.float64(0.7)]
ONE = [
    tm.negative, tm.absolute, tm.sqrt, tm.sin, tm.cos, tm.exp, tm.log, tm.square, tm.tanh, tm.sign, tm.isnan, tm.floor,
    tm.isinf, tm.logical_not, tm.relu, tm.expm1, tm.softmax, tm.ravel, tm.cumsum, lambda x: x.T,
    lambda x: tm.power(x, 2), lambda x: tm.power(x, 1), lambda x: tm.astype(x, np.float32), lambda x: -(-x),
    lambda x: tm.where(x, x, 0.5), lambda x: -(x - 1.0), lambda x: tm.broadcast_to(x, (2, *x.shape)), lambda x: x / 4,
]  # fmt: skip
TWO = [
    tm.add, tm.subtract, tm.multiply, tm.divide, tm.maximum, tm.minimum, tm.copysign, tm.less, tm.equal, tm.logical_and,
    tm.matmul, lambda a, b: tm.where(a > b, a, b), lambda a, b: a - (-b), lambda a, b: -a * b, lambda a, b: a + (-b),
    lambda a, b: a & b, lambda a, b: tm.hypot(a, b), lambda a, b: 0.0 + a * b, lambda a, b: 0.0 - a * b,
]  # fmt: skip
REDUCE = [tm.sum, tm.mean, tm.max, tm.prod, tm.any, lambda x, axis: tm.sum(x, axis=axis, keepdims=True)]
REDUCE += [lambda x, axis: x - tm.mean(x, axis=axis, keepdims=True), lambda x, axis: tm.sum(x * x, axis=axis)]


def random_case(seed):
    """Arguments, and a function of them that is a random composition; it returns all that nothing else reads."""
    rng = np.random.default_rng(seed)

    def pick(options):
        return options[rng.integers(len(options))]

    arrays = []
    for _ in range(3):
        kind = pick(TYPES)
        values = EXTREME[kind] if rng.random() < 0.6 else EXTREME[kind][:4]
        arrays.append(np.array(rng.choice(values, pick(SHAPES))).astype(kind))
    steps, values = [], [tm.tensor(a) for a in arrays]
    while len(steps) < 8:
        form = rng.random()
        k, j = rng.integers(len(values), size=2)
        if form < 0.3:
            f, operands, extra = pick(ONE), (k,), ()
        elif form < 0.55:
            f, operands, extra = pick(TWO), (k, j), ()
        elif form < 0.8:
            f, operands, extra = pick(TWO), (k,), (pick(NUMBERS),)
        else:
            f, operands, extra = pick(REDUCE), (k,), (pick([None, 0, -1]),)
        try:
            with np.errstate(all="ignore"):
                y = f(*(values[i] for i in operands), *extra)
        except (tm.MathError, OverflowError):
            continue
        if y.size <= 200:
            steps.append((f, operands, extra))
            values.append(y)
    used = {i for _, operands, _ in steps for i in operands}
    results = [i for i in range(3, len(values)) if i not in used]

    def run(*args):
        found = list(args)
        for f, operands, extra in steps:
            found.append(f(*(found[i] for i in operands), *extra))
        return tuple(found[i] for i in results)

    return run, arrays


def assert_same(got, want):
    """Bit for bit, but for a few units in the last place."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    a, b = got.numpy(), want.numpy()
    if a.dtype.kind not in "fc":
        np.testing.assert_array_equal(a, b)
        return
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    a, b = np.nan_to_num(a, nan=0.0, posinf=np.inf, neginf=-np.inf), np.nan_to_num(b, nan=0.0, posinf=np.inf, neginf=-np.inf)
    np.testing.assert_array_equal(np.signbit(a), np.signbit(b))
    limits = np.finfo(a.dtype)
    np.testing.assert_allclose(a, b, rtol=8 * float(limits.eps), atol=8 * float(limits.smallest_subnormal))


def check(seeds):
    with np.errstate(all="ignore"):
        for seed in seeds:
            f, arrays = random_case(seed)
            try:
                for got, want in zip(tm.compile(f)(*arrays), f(*map(tm.tensor, arrays)), strict=True):
                    assert_same(got, want)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error}") from error
