"""Positions that arrays of whole numbers name, read and added to in machine code: NumPy's bits, and the ops' errors."""

from __future__ import annotations

import numpy as np
import pytest
from agreement_of_native import Guarded, assert_bits, assert_close, assert_refused_alike, compiled

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

RNG = np.random.default_rng(31)
POSITIONS = {
    "repeated": np.array([3, 0, 3, 1, -1, 3]),
    "growing": np.array([0, 1, 3]),
    "growing from the end": np.array([-2, 0, 2]),
    "narrow": np.array([2, 2, 1], np.int32),
    "bytes": np.array([0, 3, 3], np.uint8),
    "in rows": np.array([[0, 3], [2, 2], [-1, 0]]),
    "turned": np.array([[0, 3, 1], [2, 2, 3]]).T,
    "backwards": np.array([0, 1, 2, 3])[::-1],
    "every other one": np.arange(8)[::2] % 4,
    "one": np.array([2]),
    "a number": np.array(1),
    "none": np.zeros(0, int),
}
LEFT = ("turned", "none")  # to NumPy
ALONG = {"first": (4, 3, 2), "middle": (3, 4, 2), "last": (2, 3, 4), "only": (4,)}


def key_of(along, index):
    return (index,) if along in ("first", "only") else (slice(None),) * (1 if along == "middle" else 2) + (index,)


def layouts(x):
    return x, np.asfortranarray(x), x[..., ::-1].copy()[..., ::-1], np.repeat(x, 2, -1)[..., ::2]


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int64", "bool"])
@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("name", POSITIONS)
def test_what_is_read_has_numpys_bits(name, along, dtype, monkeypatch):
    x, index = (RNG.normal(size=ALONG[along]) * 3).astype(dtype), POSITIONS[name]
    f, guarded = compiled(lambda x, i: x[key_of(along, i)]), Guarded(monkeypatch)
    for given in layouts(x):
        assert_bits(f(given, index), [given[key_of(along, index)]])
    if name not in LEFT:
        guarded.check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("name", POSITIONS)
def test_what_is_added_at_positions_has_numpys_bits(name, along, dtype, monkeypatch):
    x, index = (RNG.normal(size=ALONG[along]) * 3).astype(dtype), POSITIONS[name]
    key = key_of(along, index)
    v = RNG.normal(size=x[key].shape).astype(dtype)
    v.flat[: v.size // 2] *= 0.0  # of both signs
    guarded = Guarded(monkeypatch)

    def f(x, v, i):
        _, back = tm.vjp(lambda x: x[key_of(along, i)], x)
        return back(v)[0], x.at[key_of(along, i)].add(v), x.at[key_of(along, i)].add(2.0)

    g = compiled(f)
    for given in layouts(x):
        got, want = g(given, v, index), f(tm.tensor(given), tm.tensor(v), tm.tensor(index))
        assert_bits(got, want)
        assert np.signbit(got[0].numpy()).tolist() == np.signbit(want[0].numpy()).tolist()
    if name not in LEFT:
        guarded.check()


@pytest.mark.parametrize("wrong", [4, -5, 1 << 40, -(1 << 62)])
def test_a_position_that_does_not_exist_is_the_ops_own_error_and_the_program_goes_on(wrong):
    x, good = RNG.normal(size=(4, 3)), np.array([0, 3, 1])
    for f in (
        lambda x, i: x[i] * 2.0,
        lambda x, i: tm.grad(lambda x: tm.sum(x[i] ** 2))(x),
        lambda x, i: x.at[i].add(1.0) * 2.0,
        lambda x, i: tm.scan(lambda c, k: (c + x[k], None), tm.zeros(3), i)[0],
    ):
        g, bad = compiled(f), np.array([0, wrong, 1])
        for _ in range(2):
            assert_close(g(x, good), f(tm.tensor(x), tm.tensor(good)))
            assert_refused_alike(f, g, x, bad)


def test_an_embedding_trains_in_a_native_loop():
    table, words = RNG.normal(size=(5, 3)), RNG.integers(0, 5, size=(6, 4))

    def step(e, w):
        return e - 0.1 * tm.grad(lambda e: tm.sum(tm.tanh(e[w]) ** 2))(e), None

    f = compiled(lambda e, ws: tm.scan(step, e, ws)[0])
    got, e = f(table, words).numpy(), table
    assert f.latest.native.whole
    for w in words:
        g = np.zeros_like(e)
        np.add.at(g, w, 2 * np.tanh(e[w]) * np.cosh(e[w]) ** -2.0)
        e = e - 0.1 * g
    np.testing.assert_allclose(got, e, rtol=1e-12)


def test_programs_with_positions_along_one_axis_are_native_as_a_whole():
    index = np.array([0, 2, 2])
    for f in (
        lambda x: tm.sum(x[index] * x[index[::-1]]),
        lambda x: x[:, index].at[:, index].add(1.0),
        tm.grad(lambda x: tm.sum(x[index] ** 2)),
    ):
        g = compiled(f)
        g(RNG.normal(size=(3, 3)))
        assert g.latest.native.whole


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int64", "bool"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_what_is_taken_along_an_axis_has_numpys_bits(axis, dtype, monkeypatch):
    x = (RNG.normal(size=(4, 3, 5)) * 3).astype(dtype)
    guarded = Guarded(monkeypatch)
    f = compiled(lambda x, i: tm.take_along_axis(x, i, axis=axis))
    for many in (1, 2, 6):
        shape = [4, 3, 5]
        shape[axis] = many
        index = RNG.integers(-x.shape[axis], x.shape[axis], size=shape)
        for given in layouts(x):
            for i in (index, index.astype(np.int8), np.asfortranarray(index)):
                assert_bits(f(given, i), [np.take_along_axis(given, i.astype(int), axis)])
    other = RNG.integers(0, 3, size=(1, 2, 5))
    if axis == 1:
        assert_bits(f(x, other), [np.take_along_axis(x, other, 1)])
    assert f.latest.native.whole
    guarded.check()


def test_a_position_beyond_an_axis_that_is_taken_along_is_named():
    x, index = np.ones((3, 4)), np.array([[0], [4], [1]])
    f = compiled(lambda x, i: tm.take_along_axis(x, i, axis=1))
    assert_bits(f(x, index % 4), [np.ones((3, 1))])
    with pytest.raises(tm.errors.IndexOutOfBounds, match="4"):
        f(x, index)
