"""Layers, losses and schedules at empty batches, infinities and NaN: what does not count does no harm."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import nn

F = nn.functional
RNG = np.random.default_rng(0)
WAYS = {"eager": lambda f: f, "numpy": tm.compile, "native": lambda f: tm.compile(f, backend="native")}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


# -- targets that do not count ----------------------------------------------------------------------
ROWS = np.array([[0.0, 1.0, -1.0], [np.nan, np.inf, -np.inf], [2.0, 0.5, 0.0]])
LABELS = np.array([2, -100, 0])


def smoothed(weight, smoothing):
    """The losses of rows 0 and 2, and what each counts, by the formula."""
    rows, labels = ROWS[[0, 2]], LABELS[[0, 2]]
    logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
    share = weight[labels]
    picked = (1 - smoothing) * share * logs[[0, 1], labels]
    return -picked - smoothing / 3 * (logs * weight).sum(1), share


@ways
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 3.0])])
def test_scores_of_a_target_that_does_not_count_may_be_anything(way, weight, smoothing):
    given = {"weight": weight, "label_smoothing": smoothing}
    losses, share = smoothed(np.ones(3) if weight is None else weight, smoothing)
    wanted = {"sum": losses.sum(), "mean": losses.sum() / share.sum(), "none": [losses[0], 0, losses[1]]}
    for reduction, value in wanted.items():
        found = way(lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r, **given))(ROWS, LABELS)
        np.testing.assert_allclose(found.numpy(), value, rtol=1e-13)


@ways
def test_log_probabilities_of_a_target_that_does_not_count_have_the_slope_0(way):
    for reduction in ("sum", "mean"):
        loss = way(tm.value_and_grad(lambda x, t, r=reduction: F.nll_loss(x, t, weight=np.ones(3), reduction=r)))
        value, slopes = loss(ROWS, LABELS)
        each = 1 if reduction == "sum" else 0.5
        assert value.item() == each * -(ROWS[0, 2] + ROWS[2, 0])
        assert slopes.tolist() == [[0, 0, -each], [0, 0, 0], [-each, 0, 0]]


def test_scores_without_classes_are_refused():
    with pytest.raises(tm.ShapeError, match="no classes in float64"):
        F.cross_entropy(np.zeros((2, 0)), np.zeros(2, int), reduction="sum", label_smoothing=0.1)


@ways
def test_a_target_that_is_no_probability_is_refused(way):
    loss = way(F.binary_cross_entropy)
    for target in (2.0, -0.1, np.nan):
        with pytest.raises(tm.OutsideDomain, match="a target is from 0 to 1"):
            loss(np.array([0.5]), np.array([target]))
    assert loss(np.array([0.5]), np.array([1.0])).item() == pytest.approx(np.log(2), rel=1e-15)
    assert F.binary_cross_entropy([0.25], [True]).item() == pytest.approx(np.log(4), rel=1e-15)


# -- losses that are linear far out -----------------------------------------------------------------
@ways
@pytest.mark.parametrize("width", [0.5, 1.0, 3.0])
def test_the_pull_of_an_endless_error_is_that_of_a_large_one(way, width):
    x = np.array([np.inf, -np.inf, 9e300, width, -1e-25, 0.0])
    inner = np.clip(x, -width, width)
    for f, scale in ((lambda x: F.huber_loss(x, 0 * x[-1] + np.zeros(6), "sum", width), 1.0),
                     (lambda x: F.smooth_l1_loss(x, np.zeros(6), "sum", width), width)):  # fmt: skip
        finite, slopes = way(tm.value_and_grad(lambda x, f=f: f(x)))(x)
        assert finite.item() == np.inf
        np.testing.assert_allclose(slopes.numpy()[:5], inner[:5] / scale, rtol=1e-15)
    losses = F.huber_loss(x[2:], np.zeros(4), "none", width).numpy()
    size = np.abs(x[2:])
    np.testing.assert_allclose(
        losses, np.where(size <= width, inner[2:] ** 2 / 2, width * (size - width / 2)), rtol=1e-15
    )
    second = tm.grad(lambda x: tm.grad(lambda x: F.huber_loss(x, np.zeros(4), "sum", width))(x).sum())(x[2:])
    assert second.tolist() == [0, 1, 1, 1]


def test_a_divergence_of_half_precision_is_of_half_precision():
    logs, chances = np.log(np.array([0.25, 0.75], "f2")), np.array([0.5, 0.5], "f2")
    for given in (chances, np.array([0.0, 1.0], "f2")):
        value, slopes = tm.value_and_grad(F.kl_div)(logs, given)
        assert value.dtype == slopes.dtype == np.float16
        np.testing.assert_allclose(slopes.numpy(), -given / 2, rtol=1e-3)
    assert F.kl_div(logs, chances, reduction="sum").item() == pytest.approx(0.5 * np.log(4 / 3), rel=5e-3)


# -- empty batches ----------------------------------------------------------------------------------
EMPTY = {
    "groups": (lambda: nn.Conv1d(4, 6, 3, groups=2), (0, 4, 7), (0, 6, 5)),
    "groups in a plane": (lambda: nn.Conv2d(4, 2, 2, groups=2), (0, 4, 5, 3), (0, 2, 4, 2)),
    "attention": (lambda: nn.TransformerEncoderLayer(4, 2, 8), (5, 0, 4), (5, 0, 4)),
    "attention to nothing": (lambda: nn.TransformerEncoderLayer(4, 2, 8), (0, 2, 4), (0, 2, 4)),
    "unflatten": (lambda: nn.Unflatten(1, (2, -1)), (0, 6, 3), (0, 2, 3, 3)),
    "unflatten the batch": (lambda: nn.Unflatten(0, (-1, 5)), (0, 6), (0, 5, 6)),
    "regions": (lambda: nn.AdaptiveAvgPool1d(3), (0, 2, 7), (0, 2, 3)),
    "largest of regions": (lambda: nn.AdaptiveMaxPool1d(7), (0, 2, 3), (0, 2, 7)),
}


@ways
@pytest.mark.parametrize("case", EMPTY)
def test_an_empty_batch_passes_and_has_slopes_of_0(case, way):
    make, shape, wanted = EMPTY[case]
    layer, x = make(), np.zeros(shape)
    assert way(lambda net, x: net(x))(layer, x).shape == wanted
    slopes = way(tm.grad(lambda net, x: tm.sum(net(x))))(layer, x)
    for p in slopes.parameters():
        assert not p.detach().numpy().any()


def test_a_mask_of_padding_goes_with_an_empty_batch():
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    x = np.zeros((0, 3, 4))
    y, weights = layer(x, x, x, key_padding_mask=np.zeros((0, 3), bool))
    assert (y.shape, weights.shape) == ((0, 3, 4), (0, 3, 3))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_of_nothing_are_0_and_pull_at_nothing(mode):
    layer = nn.EmbeddingBag(4, 3, mode=mode, rng=0)
    y = layer(np.zeros(0, int), [0, 0])
    assert y.tolist() == [[0, 0, 0]] * 2
    y.sum().backward()
    assert layer.weight.grad.shape == (4, 3)
    assert not layer.weight.grad.numpy().any()


# -- regions ----------------------------------------------------------------------------------------
@ways
@pytest.mark.parametrize("regions", [1, 2, 3, 4, 6, 9])
def test_what_is_not_finite_stays_in_its_regions(way, regions):
    x = np.array([1.0, np.nan, 3.0, 4.0, -np.inf, 0.5])
    bounds = [(i * 6 // regions, -(-(i + 1) * 6 // regions)) for i in range(regions)]
    mean = way(lambda x: F.adaptive_avg_pool1d(x, regions))
    np.testing.assert_allclose(mean(x[None, None]).numpy()[0, 0], [x[a:b].mean() for a, b in bounds], rtol=1e-15)
    plane = np.stack([x, np.arange(6.0), np.full(6, np.inf)])[None, None]
    found = way(lambda x: F.adaptive_avg_pool2d(x, (3, regions)))(plane).numpy()[0, 0]
    np.testing.assert_allclose(found, [[row[a:b].mean() for a, b in bounds] for row in plane[0, 0]], rtol=1e-15)
    slopes = tm.grad(lambda x: F.adaptive_avg_pool1d(x, regions)[0, 0] @ np.arange(1.0, 1 + regions))(
        np.ones((1, 1, 6))
    )
    wanted = np.zeros(6)
    for k, (a, b) in enumerate(bounds):
        wanted[a:b] += (k + 1) / (b - a)
    np.testing.assert_allclose(slopes.numpy()[0, 0], wanted, rtol=1e-14)
