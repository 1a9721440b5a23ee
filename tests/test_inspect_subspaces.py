"""`tm.inspect.subspaces`: what a network does not see, and what it cannot reach."""

import itertools

import numpy as np
import pytest

import tinygrad_math as tm

RNG = np.random.default_rng(0)


def test_an_unseen_direction_changes_nothing_and_no_change_goes_where_it_cannot_reach():
    model = tm.nn.Sequential(tm.nn.Linear(6, 2, rng=RNG), tm.nn.Tanh(), tm.nn.Linear(2, 5, rng=RNG))
    x = RNG.normal(size=6)
    look = tm.inspect.subspaces(model, x)
    assert (look.rank, look.unseen.dim, look.unreached.dim) == (2, 4, 3)
    for d in look.unseen_directions.numpy():
        np.testing.assert_allclose(model(x + d).detach(), model(x).detach(), atol=1e-12)
    moves = model(RNG.normal(size=(20, 6))).detach().numpy() - model(x).detach().numpy()
    np.testing.assert_allclose(moves @ look.unreached_directions.numpy().T, 0, atol=1e-12)
    assert np.abs(model(x + look.seen.basis[:, 0]) - model(x)).max().item() > 1e-3
    assert look.reached.contains((model(x + 0.5) - model(x)).detach(), rtol=1e-9).item()


def test_the_ranks_along_a_linear_network_are_those_of_the_products_of_its_matrices():
    widths = [5, 4, 2, 3, 6]
    layers = [tm.nn.Linear(a, b, bias=False, rng=RNG) for a, b in itertools.pairwise(widths)]
    look = tm.inspect.subspaces(tm.nn.Sequential(*layers), RNG.normal(size=5))
    product, before = np.eye(5), 5
    for row, layer in zip(look.layers, layers):
        w = layer.weight.detach().numpy()
        product = w @ product
        rank = np.linalg.matrix_rank(product)
        assert (row.own, row.rank, row.lost) == (np.linalg.matrix_rank(w), rank, before - rank)
        assert (row.width, row.outputs) == w.shape[::-1]
        before = rank
    np.testing.assert_allclose(look.jacobian.numpy(), product, atol=1e-14)
    four = tm.linalg.fundamental_subspaces(product)
    np.testing.assert_allclose(look.unseen.projector.numpy(), four.null.projector.numpy(), atol=1e-12)
    np.testing.assert_allclose(look.unreached.projector.numpy(), four.left_null.projector.numpy(), atol=1e-12)


def test_dead_units_take_directions_away():
    model = tm.nn.Sequential(tm.nn.Linear(3, 3, rng=RNG), tm.nn.ReLU())
    model[0].load_state_dict({"weight": np.eye(3), "bias": np.zeros(3)})
    look = tm.inspect.subspaces(model, np.array([1.0, -1.0, -2.0]))
    assert [r.lost for r in look.layers] == [0, 2]
    assert look.unseen.contains([0.0, 1.0, 0.0]).item()
    assert "ReLU" in look.text()


def test_shapes_of_any_kind_and_layers_that_count_are_left_as_they_were():
    model = tm.nn.Sequential(tm.nn.Linear(3, 3, rng=RNG), tm.nn.BatchNorm1d(3), tm.nn.Dropout(0.5))
    before = {k: v.copy() for k, v in model.state_dict().items()}
    x = RNG.normal(size=(4, 3))
    look = tm.inspect.subspaces(model, x)
    after = model.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert not any(m._hooks for m in model.modules())
    assert look.unseen_directions.shape[1:] == (4, 3)
    assert look.layers[0].own == look.layers[0].rank == 12
    assert look.layers[1].rank == 9  # of each column, the mean is gone
    conv = tm.inspect.subspaces(tm.nn.Conv2d(1, 2, 3, rng=RNG), RNG.normal(size=(1, 1, 4, 4)).astype(np.float32))
    assert (conv.rank, conv.unseen.dim, conv.unreached.dim) == (8, 8, 0)


def test_an_extreme_network_sees_nothing_or_all():
    blind = tm.inspect.subspaces(lambda x: 0.0 * x, np.ones(3))
    assert (blind.rank, blind.unseen.dim, blind.unreached.dim) == (0, 3, 3)
    assert tm.inspect.subspaces(lambda x: x * 2, np.ones(3)).unseen.dim == 0
    assert tm.inspect.subspaces(lambda x: x.sum(), np.ones(3)).unreached.dim == 0


def test_what_has_no_subspaces_is_refused_by_name():
    with pytest.raises(tm.DTypeError):
        tm.inspect.subspaces(lambda x: x, np.array([1, 2]))
    with pytest.raises(tm.DTypeError):
        tm.inspect.subspaces(lambda x: x * 1j, np.ones(2))
    with pytest.raises(tm.ArgumentError, match="Jacobian"):
        tm.inspect.subspaces(lambda x: x, np.ones(5000))


def test_subspaces_are_drawn():
    pytest.importorskip("matplotlib")
    model = tm.nn.Sequential(tm.nn.Linear(6, 2, rng=RNG), tm.nn.Tanh())
    assert len(tm.inspect.subspaces(model, np.ones(6)).plot().axes) == 2
    assert tm.inspect.subspaces(lambda x: x[:1] * 2, np.ones(2)).plot()._repr_png_()


@pytest.mark.parametrize("rtol", [np.nan, -1.0, np.inf])
def test_a_tolerance_that_is_no_share_is_named(rtol):
    with pytest.raises(tm.ArgumentError, match="rtol is a share"):
        tm.inspect.subspaces(tm.sin, np.ones(2), rtol=rtol)
