"""Parameters that are computed of others, and the loss of sequences that are not aligned."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

maps, parametrize = tm.nn.utils.parametrizations, tm.nn.utils.parametrize
X = np.random.default_rng(0).normal(size=(5, 3))


class Symmetric(tm.nn.Module):
    def forward(self, w):
        return (w + w.T) / 2


def test_a_computed_weight_is_what_its_maps_make_of_the_original():
    layer = tm.nn.Linear(3, 3, rng=0)
    w = layer.weight.detach().numpy().copy()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", tm.exp)
    np.testing.assert_allclose(layer.weight.detach().numpy(), np.exp((w + w.T) / 2))
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert isinstance(layer, tm.nn.Linear)
    assert parametrize.is_parametrized(layer)
    assert type(layer).__name__ == "ParametrizedLinear"


@pytest.mark.parametrize("transform", [lambda f: f, tm.compile])
def test_the_gradient_reaches_the_original(transform):
    layer = parametrize.register_parametrization(tm.nn.Linear(3, 3, rng=0), "weight", Symmetric())
    found = transform(tm.grad(lambda layer, x: (layer(x) * X).sum()))(layer, X)
    plain = X.T @ X
    original = found.parametrizations.weight.original.detach().numpy()
    np.testing.assert_allclose(original, (plain + plain.T) / 2)
    np.testing.assert_allclose(found.bias.detach().numpy(), X.sum(0))


def test_a_computed_weight_is_trained_saved_copied_and_made_plain_again(tmp_path):
    net = tm.nn.Sequential(maps.weight_norm(tm.nn.Linear(3, 4, rng=0)), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))
    opt = tm.optim.Adam(net, lr=0.1)
    assert len(opt.params) == 5
    history = tm.train.fit(net, (X, X[:, :1]), F.mse_loss, opt, 30, compile=True, progress=False)
    assert history[-1]["loss"] < history[0]["loss"] / 5
    tm.save(tmp_path / "net.npz", net.state_dict())
    twin = copy.deepcopy(net)
    twin.load_state_dict(tm.load(tmp_path / "net.npz"))
    before = net(X).detach().numpy()
    np.testing.assert_array_equal(twin(X).detach().numpy(), before)
    parametrize.remove_parametrizations(net[0], "weight")
    assert type(net[0]) is tm.nn.Linear
    assert set(net.state_dict()) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    np.testing.assert_allclose(net(X).detach().numpy(), before, rtol=1e-14)
    assert "0.parametrizations.weight.original0" in twin.state_dict()  # the copy stays as it is


def test_a_spectral_norm_stays_at_one_in_training_and_still_in_eval():
    layer = maps.spectral_norm(tm.nn.Conv2d(2, 3, 2, rng=0), n_power_iterations=20, rng=0)
    largest = np.linalg.svd(layer.weight.detach().numpy().reshape(3, -1), compute_uv=False)[0]
    np.testing.assert_allclose(largest, 1.0, rtol=1e-6)
    layer.eval()
    buffers = [b.numpy().copy() for b in layer.buffers()]
    assert layer(np.ones((1, 2, 3, 3))).shape == (1, 3, 2, 2)
    for b, before in zip(layer.buffers(), buffers, strict=True):
        np.testing.assert_array_equal(b.numpy(), before)


def test_what_cannot_be_computed_is_a_named_error_and_changes_nothing():
    layer = tm.nn.Linear(3, 2, rng=0)
    for name, function in (
        ("weight", lambda w: w.T), ("weight", lambda w: w.astype(np.float32)), ("weight", 3.0), ("none", tm.exp),
    ):  # fmt: skip
        with pytest.raises(tm.MathError):
            parametrize.register_parametrization(layer, name, function)
        assert list(layer.state_dict()) == ["weight", "bias"]
    with pytest.raises(tm.ArgumentError, match="is not computed"):
        parametrize.remove_parametrizations(layer, "weight")
    maps.weight_norm(layer)
    with pytest.raises(tm.ArgumentError, match="is computed; write into"):
        layer.weight = tm.nn.Parameter(np.ones((2, 3)))
    with pytest.raises(tm.ArgumentError, match="several arrays"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    with pytest.raises(tm.ShapeError, match="no axis 4"):
        maps.weight_norm(tm.nn.Linear(3, 2), dim=4)


# -- sequences --------------------------------------------------------------------------------------------------------
def _said(path, blank):
    """What a way through the classes says: repeats once, blanks not at all."""
    return [k for k, _ in itertools.groupby(path) if k != blank]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [2, 1], [1, 2, 1]])
@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_adds_up_all_ways_that_say_the_labels(labels, blank):
    labels = [(k + blank) % 3 for k in labels]
    steps = 4
    logs = np.log(np.random.default_rng(1).dirichlet(np.ones(3), steps))
    total = sum(
        np.exp(logs[range(steps), path].sum())
        for path in itertools.product(range(3), repeat=steps)
        if _said(path, blank) == labels
    )
    loss = F.ctc_loss(logs, np.array([labels], int).reshape(1, -1), [steps], [len(labels)], blank, "sum")
    np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-12)


def test_ctc_of_too_few_steps_is_infinite_or_zero_and_has_no_gradient():
    logs = np.log(np.full((3, 2, 3), 1 / 3))
    given = [[1, 1], [1, 2]], [2, 3], [2, 2]
    assert F.ctc_loss(logs, *given, reduction="none").numpy()[0] == np.inf
    f = lambda x: F.ctc_loss(x, *given, reduction="none", zero_infinity=True)  # noqa: E731
    assert f(logs).numpy()[0] == 0
    gradient = tm.grad(lambda x: f(x).sum())(logs).numpy()
    assert not gradient[:, 0].any()
    np.testing.assert_allclose(gradient[:, 1].sum(), -3.0)  # a label, or the blank, at each step
    tm.testing.check_grads(lambda x: F.ctc_loss(x, [[1], [2]], [3, 2], [1, 1]), (logs,), order=2)


@pytest.mark.parametrize(
    "given",
    [
        (np.zeros((3, 2)), [[1]], [4], [1]),
        (np.zeros((3, 2)), [[0]], [3], [1]),
        (np.zeros((3, 2)), [[2]], [3], [1]),
        (np.zeros((3, 2)), [[1]], [3], [2]),
        (np.zeros((3, 2)), [[1]], [3, 3], [1]),
        (np.zeros((3, 2)), [[1.5]], [3], [1]),
        (np.zeros(3), [[1]], [3], [1]),
        (np.zeros((3, 2)), [[1]], [3], [-1]),
    ],
)
def test_ctc_refuses_what_does_not_fit(given):
    with pytest.raises(tm.MathError, match="ctc_loss"):
        F.ctc_loss(*given)


@pytest.mark.parametrize(
    "trip",
    [lambda m: pickle.loads(pickle.dumps(m)), lambda m: pickle.loads(pickle.dumps(m, 0)), copy.deepcopy, copy.copy],
    ids=["pickle", "pickle0", "deepcopy", "copy"],
)
def test_a_module_with_computed_parameters_is_pickled_and_copied(trip):
    layer = maps.spectral_norm(maps.weight_norm(tm.nn.Linear(3, 2, rng=0), "bias"), rng=0)
    net = tm.nn.Sequential(layer, tm.nn.Tanh(), maps.weight_norm(tm.nn.Linear(2, 1, rng=1))).eval()
    again = trip(net)
    np.testing.assert_array_equal(again(X).detach().numpy(), net(X).detach().numpy())
    assert list(again.state_dict()) == list(net.state_dict())
    assert type(again[0]) is type(layer)
    assert parametrize.is_parametrized(again[2], "weight")
    again(X).sum().backward()
    assert again[0].parametrizations.weight.original.grad is not None
    assert trip is copy.copy or layer.parametrizations.weight.original.grad is None


def test_a_class_of_the_user_keeps_its_own_way_of_pickling():
    layer = maps.weight_norm(OwnPickle(3, 2))
    assert pickle.loads(pickle.dumps(layer)) == "its own"


class OwnPickle(tm.nn.Linear):
    def __reduce__(self):
        return str, ("its own",)
