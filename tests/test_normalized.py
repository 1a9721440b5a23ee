"""Normalisations and standard deviations far from one, and their derivatives: nothing leaves its range."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm

F = tm.nn.functional
V, D = np.array([[1.0, 2.0, 4.0], [-1.0, 0.5, 3.0]]), np.array([[1.0, -0.5, 0.3], [0.2, 0.0, -1.0]])
NORMS = {
    "layer": lambda x, eps: F.layer_norm(x, 3, eps=eps),
    "root mean square": lambda x, eps: F.rms_norm(x, 3, eps=eps),
    "group": lambda x, eps: F.group_norm(tm.reshape(x, (1, 2, 3)), 2, eps=eps),
    "instance": lambda x, eps: F.instance_norm(tm.reshape(x, (1, 2, 3)), eps=eps),
    "batch": lambda x, eps: F.batch_norm(x.T, None, None, training=True, eps=eps),
}
SCALES = [(np.float64, s) for s in (1e200, 1e155, 1e-170)] + [(np.float32, s) for s in (1e25, 1e-22)]


@pytest.mark.parametrize("backend", ["", "numpy", "native"])
@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("name", NORMS)
def test_a_norm_is_that_of_its_input_at_any_scale_up_to_second_derivatives(name, dtype, scale, backend):
    """As y(s x) = y(x), its slope at s x is that at x over s, and so is the change of its slope along s d."""
    if backend == "native":
        pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

    def loss(x):
        y = NORMS[name](x, 0.0)
        return tm.sum(tm.reshape(y, -1) ** 2 * np.arange(1.0, 7.0).astype(dtype))

    def all_of(x, d):
        return NORMS[name](x, 0.0), tm.grad(loss)(x), tm.hvp(loss, x, d)

    run = tm.compile(all_of, backend=backend) if backend else all_of
    got, want = run((scale * V).astype(dtype), (scale * D).astype(dtype)), all_of(V, D)
    assert all(g.dtype == dtype for g in got)
    for g, w, factor in zip(got, want, (1.0, scale, scale), strict=True):
        np.testing.assert_allclose(
            g.numpy().astype(float) * factor, w, rtol=0, atol=2e-5 if dtype == np.float32 else 1e-13
        )


@pytest.mark.parametrize(("dtype", "scale"), SCALES + [(np.float64, 1e198), (np.float32, 1e-20)])
def test_the_spread_bends_as_much_at_any_scale(dtype, scale):
    x, d = (scale * V[0]).astype(dtype), D[0].astype(dtype)
    got, want = tm.hvp(tm.std, x, d).numpy().astype(float) * scale, tm.hvp(tm.std, V[0], D[0]).numpy()
    np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == np.float32 else 1e-12)
    c = V[0] - V[0].mean()
    s = c.std()
    np.testing.assert_allclose(want, ((D[0] - D[0].mean()) - c * (c @ D[0]) / 3 / s**2) / 3 / s, rtol=1e-13)


@pytest.mark.parametrize("name", NORMS)
def test_half_numbers_are_normalised_as_single_ones(name):
    x = (1000 * V).astype(np.float16)
    y = NORMS[name](x, 1e-5)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.astype(float), NORMS[name](x.astype(np.float64), 1e-5), rtol=1e-3)
    far = (1e-3 * np.random.default_rng(0).normal(size=(3, 600))).astype(np.float16)
    of_rows = lambda x: tm.sum(F.layer_norm(x, 600) * np.linspace(-1, 1, 600).astype(x.dtype))  # noqa: E731
    got, want = tm.grad(of_rows)(far), tm.grad(of_rows)(far.astype(np.float64))
    assert got.dtype == np.float16
    np.testing.assert_allclose(got.astype(float), want, atol=1e-2 * np.abs(want.numpy()).max())


def test_what_is_constant_has_no_direction_and_the_eps_given_counts():
    assert not tm.grad(tm.std)(np.full(3, 0.1)).numpy().any()
    assert not F.layer_norm(np.full((1, 3), 0.1), 3).numpy().any()
    tiny = F.layer_norm(1e-200 * V[:1], 3, eps=1e-300)
    np.testing.assert_allclose(tiny.numpy(), 1e-200 / 1e-150 * (V[:1] - V[0].mean()), rtol=1e-12)
    half = np.array([1.0, -2.0], np.float16)
    for f in (F.gelu, F.silu, F.sigmoid, tm.nn.LogSigmoid(), lambda x: F.gelu(x, approximate="tanh"), tm.sigmoid):
        assert f(half).dtype == np.float16
        np.testing.assert_allclose(f(half).astype(float), f(half.astype(float)), rtol=2e-3)


@pytest.mark.parametrize(("dtype", "x"), [(np.float64, 1e155), (np.float32, 1e20), (np.float16, 300.0)])
def test_gelu_by_tanh_is_flat_far_out(dtype, x):
    slope = tm.grad(lambda x: tm.sum(F.gelu(x, approximate="tanh")))(np.array([x, -x], dtype))
    assert slope.numpy().tolist() == [1.0, 0.0]
