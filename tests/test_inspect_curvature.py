"""`tm.inspect.spectrum` and `tm.inspect.landscape`."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.inspect.spectrum import EXACT

F = tm.nn.functional


def quadratic(n, seed=0):
    a = np.random.default_rng(seed).normal(size=(n, n))
    a = a + a.T
    return a, lambda x: x @ a @ x / 2


def test_a_small_spectrum_is_that_of_the_matrix():
    a, f = quadratic(12)
    found = tm.inspect.spectrum(f, np.ones(12))
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(a), atol=1e-12)
    for value, vector in zip(found.values, found.vectors):
        np.testing.assert_allclose(a @ vector.numpy(), value * vector.numpy(), atol=1e-11)
    assert found.exact
    assert found.negative == np.sum(np.linalg.eigvalsh(a) < 0)
    assert found.condition == pytest.approx(np.linalg.cond(a))


@pytest.mark.parametrize("which", ["both", "largest", "smallest", "magnitude"])
def test_some_of_a_large_spectrum_are_those_of_the_matrix(which):
    n = EXACT + 40
    d = np.random.default_rng(1).permutation(np.linspace(-3, 5, n) ** 3)
    found = tm.inspect.spectrum(lambda x: (d * x * x).sum() / 2, np.ones(n), k=6, which=which)
    order = np.sort(d)
    want = {
        "both": np.r_[order[:3], order[-3:]],
        "largest": order[-6:],
        "smallest": order[:6],
        "magnitude": np.sort(d[np.argsort(-np.abs(d))[:6]]),
    }[which]
    np.testing.assert_allclose(found.values, want, rtol=1e-9)
    assert not found.exact
    assert np.isnan(found.condition)
    assert "6 of 552" in repr(found)
    small = tm.inspect.spectrum(lambda x: (d[:20] * x * x).sum() / 2, np.ones(20), k=6, which=which)
    assert len(small.values) == 6


def test_a_spectrum_in_a_module_has_vectors_that_are_modules():
    rng = np.random.default_rng(0)
    model = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=rng), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=rng))
    x = rng.normal(size=(6, 2))
    found = tm.inspect.spectrum(lambda m: (m(x) ** 2).mean(), model)
    product = tm.hvp(lambda m: (m(x) ** 2).mean(), model, found.vector(-1))
    np.testing.assert_allclose(
        product[0].weight.detach(), found.values[-1] * found.vector(-1)[0].weight.detach(), atol=1e-12
    )


def test_single_precision_keeps_its_dtype_in_the_vectors():
    _, f = quadratic(5)
    found = tm.inspect.spectrum(lambda x: f(x.astype("float64")).astype("float32"), np.ones(5, np.float32))
    assert found.vector(0).dtype == np.float32


def test_what_has_no_spectrum_is_refused_by_name():
    with pytest.raises(tm.NonScalarError):
        tm.inspect.spectrum(lambda x: x * x, np.ones(2))
    with pytest.raises(tm.DTypeError, match="complex"):
        tm.inspect.spectrum(lambda z: tm.abs(z).sum() ** 2, np.ones(2) + 1j)
    with pytest.raises(tm.ArgumentError, match="k=3"):
        tm.inspect.spectrum(lambda x: (x * x).sum(), np.ones(2), k=3)
    with pytest.raises(tm.ArgumentError, match="which"):
        tm.inspect.spectrum(lambda x: (x * x).sum(), np.ones(2), which="top")
    with pytest.raises(tm.MatrixError, match="NaN"):
        tm.inspect.spectrum(lambda x: (x**1.5).sum(), np.zeros(2))
    with pytest.raises(tm.MatrixError, match="NaN"):
        tm.inspect.spectrum(lambda x: (x**1.5).sum(), np.zeros(EXACT + 1))


def test_a_hessian_that_is_not_symmetric_is_named():
    bilinear = tm.primitive(lambda x: x[0] * x[1])
    bilinear.defvjp(lambda g, y, x: g * tm.stack([x[1], 2 * x[0]]))
    with pytest.raises(tm.MatrixError, match=r"element \(0, 1\) is 1 and \(1, 0\) is 2.*audit"):
        tm.inspect.spectrum(bilinear, np.ones(2))


def test_spectra_and_landscapes_are_drawn():
    pytest.importorskip("matplotlib")
    _, f = quadratic(8)
    assert len(tm.inspect.spectrum(f, np.ones(8)).plot().axes) == 2
    assert len(tm.inspect.spectrum(f, np.ones(8), k=3).plot().axes) == 1
    assert tm.inspect.landscape(f, np.ones(8), points=5).plot()._repr_png_()
    assert tm.inspect.landscape(f, np.ones(8), points=5, dimensions=1).plot()._repr_png_()


# -- landscape ----------------------------------------------------------------------------------------
def test_a_landscape_has_the_values_of_the_function():
    a, f = quadratic(3)
    x, d, e = np.ones(3), np.array([1.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.0])
    seen = tm.inspect.landscape(f, x, directions=[d, e], points=5, span=2.0)
    assert seen.values.shape == (5, 5)
    for i, s in enumerate(seen.coordinates):
        for j, t in enumerate(seen.coordinates):
            p = x + s * d + t * e
            assert seen.values[i, j] == pytest.approx(p @ a @ p / 2)
    assert seen.center == pytest.approx(f(x).item())
    line = tm.inspect.landscape(f, x, directions=d, points=3)
    assert line.values.shape == (3,)


def model_and_loss():
    rng = np.random.default_rng(0)
    model = tm.nn.Sequential(
        tm.nn.Linear(4, 8, rng=rng), tm.nn.BatchNorm1d(8), tm.nn.ReLU(), tm.nn.Linear(8, 3, rng=rng)
    )
    x, y = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
    return model, lambda m: F.cross_entropy(m(x), y)


def test_random_directions_are_filter_normalised():
    model, loss = model_and_loss()
    for d in tm.inspect.landscape(loss, model, points=3).directions:
        np.testing.assert_allclose(
            np.linalg.norm(d[0].weight.detach().numpy(), axis=1),
            np.linalg.norm(model[0].weight.detach().numpy(), axis=1),
        )
        assert not d[0].bias.detach().numpy().any()
        assert not d[1].weight.detach().numpy().any()


def test_filter_normalised_landscapes_do_not_see_the_scale_of_a_layer():
    """Li et al. 2018: with ReLU, W1 -> 10 W1 and W2 -> W2 / 10 is the same function, and the same landscape."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    w = [rng.normal(size=(4, 5)).T.copy(), rng.normal(size=(5, 2)).T.copy()]

    def loss(w):
        return ((F.relu(x @ w[0].T) @ w[1].T - y) ** 2).mean()

    one = tm.inspect.landscape(loss, w, points=5)
    other = tm.inspect.landscape(loss, [10 * w[0], w[1] / 10], points=5)
    np.testing.assert_allclose(one.values[::2, 2], other.values[::2, 2], rtol=1e-9)
    plain = tm.inspect.landscape(loss, [10 * w[0], w[1] / 10], points=5, normalize="none")
    assert not np.allclose(plain.values[:, 2], one.values[:, 2])


def test_top_directions_are_the_eigenvectors_of_the_largest_curvature():
    a, f = quadratic(6)
    seen = tm.inspect.landscape(f, np.zeros(6), "top", points=3)
    values = sorted(np.linalg.eigvalsh(a), key=abs)
    assert seen.values[2, 1] == pytest.approx(values[-1] / 2)
    assert seen.values[1, 2] == pytest.approx(values[-2] / 2)
    assert "eigenvalues" in seen.title


def test_a_landscape_leaves_parameters_and_buffers_as_they_were_also_when_the_function_raises():
    model, loss = model_and_loss()
    before = {k: v.copy() for k, v in model.state_dict().items()}
    tm.inspect.landscape(loss, model, points=4)
    calls = []

    def failing(m):
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("enough")
        return loss(m)

    with pytest.raises(RuntimeError, match="enough"):
        tm.inspect.landscape(failing, model, points=4)
    after = model.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_values_that_are_not_finite_are_told():
    seen = tm.inspect.landscape(lambda x: tm.log(x).sum(), np.array([0.5]), [1.0], points=5)
    assert np.isnan(seen.values[0])
    assert "2 values are NaN or infinite" in repr(seen)


def test_what_is_no_landscape_is_refused_by_name():
    f = quadratic(3)[1]
    with pytest.raises(tm.NonScalarError):
        tm.inspect.landscape(lambda x: x, np.ones(3))
    with pytest.raises(tm.DTypeError):
        tm.inspect.landscape(f, np.array([1, 2, 3]))
    with pytest.raises(tm.ShapeError, match="tree like x"):
        tm.inspect.landscape(f, np.ones(3), directions=np.ones(2))
    for wrong in ({"points": 1}, {"dimensions": 3}, {"span": -1.0}, {"directions": "down"}, {"normalize": "layer"}):
        with pytest.raises(tm.ArgumentError):
            tm.inspect.landscape(f, np.ones(3), **wrong)


def test_a_landscape_of_no_numbers_is_refused():
    with pytest.raises(tm.ArgumentError, match="no numbers"):
        tm.inspect.landscape(lambda x: (x * x).sum(), np.zeros(0))


def test_a_network_with_one_output_has_a_hessian_as_its_number_has():
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    x, v = np.array([0.3, -0.7]), np.array([1.0, 2.0])
    expected = tm.hessian(lambda x: net(x)[0])(x).detach()
    assert tm.allclose(tm.hessian(net)(x).detach(), expected)
    assert tm.allclose(tm.hvp(net, x, v).detach(), expected @ v)
    assert np.allclose(tm.inspect.spectrum(net, x).values, np.linalg.eigvalsh(expected.numpy()))


def dropping():
    return tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Dropout(0.5), tm.nn.Linear(4, 1, rng=1))


def square_of(net):
    return (net(np.eye(3)) ** 2).sum()


@pytest.mark.parametrize(
    "look",
    [
        lambda net: tm.inspect.audit(square_of, net),
        lambda net: tm.inspect.health(square_of, net),
        lambda net: tm.inspect.spectrum(square_of, net),
        lambda net: tm.inspect.landscape(square_of, net, points=3),
        lambda net: tm.inspect.subspaces(net, np.ones(3)),
        lambda net: tm.record(square_of, net),
    ],
    ids=["audit", "health", "spectrum", "landscape", "subspaces", "record"],
)
def test_looking_draws_nothing_from_the_stream_that_training_draws_from(look):
    net = dropping()
    tm.random.seed(3)
    undisturbed = tm.random.random(4).numpy()
    tm.random.seed(3)
    look(net)
    assert np.array_equal(tm.random.random(4).numpy(), undisturbed)


def test_a_landscape_of_a_network_that_drops_is_that_of_one_function():
    seen = tm.inspect.landscape(square_of, dropping(), points=3)
    assert seen.values[1, 1] == seen.center
    again = tm.inspect.landscape(square_of, dropping(), points=3, directions="top")
    assert again.values[1, 1] == again.center
