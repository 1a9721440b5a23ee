"""The loops that native programs call give the same numbers however far apart these lie."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native import loops

UFUNCS = sorted({u.__name__: u for u in vars(np).values() if isinstance(u, np.ufunc) and not u.signature}.items())
LENGTH = 41  # several vectors, and a rest


def numbers(dtype, rng):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(LENGTH) > 0.5
    if dtype.kind in "iu":
        return rng.integers(1, 7, LENGTH).astype(dtype)
    x = rng.uniform(0.1, 0.9, LENGTH) + (1j * rng.uniform(0.1, 0.9, LENGTH) if dtype.kind == "c" else 0)
    return x.astype(dtype)


def apart(x, step):
    """x, its elements `step` places apart, and what lies between them."""
    whole = (
        np.full(x.size * abs(step), 7, np.uint8).view(bool) if x.dtype == bool else np.full(x.size * abs(step), x[0])
    )
    y = whole[::step]
    y[:] = x
    return y


def different(ufunc, by, inputs, steps):
    """Whether the loop over elements that far apart gives something else than over dense ones."""
    dense = [np.empty(LENGTH, d) for d in by.dtypes[ufunc.nin :]]
    loops.run(by, [*inputs, *dense])
    spread = [apart(~y if y.dtype == bool else np.full_like(y, 5), steps[-1]) for y in dense]
    loops.run(by, [*(apart(x, step) for x, step in zip(inputs, steps, strict=False)), *spread])
    for y, z in zip(dense, spread, strict=True):
        close = {"f": 4, "c": 16}.get(y.dtype.kind, 0) * (np.finfo(y.dtype).eps if y.dtype.kind in "fc" else 0)
        if not np.allclose(z, y, rtol=close, atol=0, equal_nan=True):
            return True
    return False


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "ufunc"), UFUNCS, ids=[name for name, _ in UFUNCS])
def test_a_loop_gives_the_same_for_elements_apart(name, ufunc):
    rng, wrong = np.random.default_rng(0), []
    for row in ufunc.types:
        given = tuple(np.dtype(char) for char in row.partition("->")[0] if char in loops.PLAIN)
        by = loops.loop(ufunc, given) if len(given) == ufunc.nin else None
        if by is not None:
            inputs = [numbers(d, rng) for d in by.dtypes[: ufunc.nin]]
            for steps in ((2, 3, 1), (1, 1, 2), (-1, 2, -3), (3, -1, 2), (8, 4, 2), (4, 8, 4), (-8, 7, -2), (16, 8, 8)):
                if different(ufunc, by, inputs, (*steps[: ufunc.nin], steps[-1])):
                    wrong.append((row, steps))
    assert not wrong


ASKED = [np.isnan, np.isinf, np.isfinite, np.signbit]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("ufunc", ASKED, ids=lambda u: u.__name__)
def test_what_is_asked_of_numbers_is_true_of_their_bits(ufunc, dtype):
    """Of NaN of either sign that signal or do not, the largest, the least and zeros; and no flag is raised by it."""
    word, top = (np.uint32, 0x7F80_0000) if dtype == "f4" else (np.uint64, 0x7FF0_0000_0000_0000)
    bits = [top + k for k in (-1, 0, 1)] + [0, 1, top + (top & -top) // 2, 2 * (top & -top) - 1]
    x = np.array([b | sign for b in bits for sign in (0, int(np.iinfo(word).max // 2 + 1))], word).view(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = tm.compile(lambda x: getattr(tm, ufunc.__name__)(x.reshape(7, 2).T), backend="native")(x).numpy()
    assert np.array_equal(got, ufunc(x).reshape(7, 2).T)


@pytest.mark.parametrize("ufunc", ASKED, ids=lambda u: u.__name__)
def test_truths_of_turned_and_cut_arrays_are_complete(ufunc):
    """Where NumPy 2.4's loops write a few of the results only, as they lie apart."""
    op = getattr(tm, ufunc.__name__)
    f = tm.compile(lambda x: tm.logical_or(op(tm.exp(x)[:, 1:4]), op(x[:, 1:4])), backend="native")
    x = np.random.default_rng(0).normal(size=(64, 8))
    x[::7, 2], x[::5, 3] = np.nan, np.inf
    for given in (np.zeros_like(x), x, x[::-1], np.asfortranarray(x)):
        want = np.logical_or(ufunc(np.exp(given)[:, 1:4]), ufunc(given[:, 1:4]))
        assert np.array_equal(f(given).numpy(), want)


def test_the_negative_of_a_diagonal_is_that_of_its_elements():
    """NumPy 2.4's loop takes it from wrong places where elements lie 64 bytes apart, and results apart, too."""
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(2, 3, 3)))
    diagonal = np.einsum("kii->ki", x)
    for f, want in ((lambda v: -v, -diagonal), (lambda v: -v * v, -(diagonal**2))):
        got = tm.compile(lambda x, f=f: f(tm.einsum("kii->ki", x)), backend="native")(x)
        np.testing.assert_array_equal(got, want)
