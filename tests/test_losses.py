"""Losses equal PyTorch's, forward, backward and in Hessian-vector products; see references.py."""

import math

import agreement
import mpmath
import numpy as np
import pytest
from cases import each
from reference_losses import LOSSES

import tinygrad_math as tm
from tinygrad_math.nn import functional as F


@each("case", LOSSES, parts=8)
def test_values_and_gradients_are_those_of_pytorch(case):
    agreement.check_forward_and_backward(case)


@each("case", LOSSES, parts=8)
def test_grad_and_hvp_are_those_of_pytorch(case):
    agreement.check_transforms(case)


@each("case", LOSSES, parts=8)
def test_compiled_is_the_same(case):
    agreement.check_compiled(case)


@each("case", LOSSES, parts=8)
def test_float32_stays_float32(case):
    agreement.check_float32(case)


WAYS = {"eagerly": lambda f, *xs: f(*xs), "compiled": lambda f, *xs: tm.compile(f)(*xs)}
WAYS["differentiated"] = lambda f, *xs: tm.grad(lambda *xs: f(*xs).sum())(*xs)
OUTSIDE = {
    "a variance": lambda x: F.gaussian_nll_loss(x, x, x - 1.0),
    "a probability": lambda x: F.binary_cross_entropy(x + 1.0, x),
    "hinge's target": lambda x: F.hinge_embedding_loss(x, x),
    "cosine's target": lambda x: F.cosine_embedding_loss(x[:, None] + 1.0, x[:, None], x),
    "a class": lambda x: F.cross_entropy(np.ones((2, 3)), tm.astype(x * 0 + 3.0, int)),
    "a negative class": lambda x: F.nll_loss(np.ones((2, 3)), tm.astype(x * 0 - 1.0, int)),
    "a row of a table": lambda x: F.embedding(tm.astype(x * 0 + 3.0, int), np.ones((3, 2))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loss", OUTSIDE)
def test_values_that_have_no_loss_are_refused(loss, way):
    with pytest.raises(tm.OutsideDomain):
        WAYS[way](OUTSIDE[loss], np.array([0.5, 0.25]))


PAIRS = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss", "kl_div", "binary_cross_entropy"]
PAIRS += ["binary_cross_entropy_with_logits", "hinge_embedding_loss"]


@pytest.mark.parametrize("loss", [*PAIRS, "gaussian_nll_loss", "cosine_embedding_loss"])
def test_a_column_is_not_compared_with_a_row(loss):
    more = () if loss in PAIRS else (np.ones(3),)
    with pytest.raises(tm.ShapeError, match=loss):
        getattr(F, loss)(np.ones(3), np.ones((3, 1)), *more)


@pytest.mark.parametrize("loss", [*PAIRS, "cross_entropy", "nll_loss"])
def test_the_mean_of_an_empty_batch_is_refused_and_its_sum_is_zero(loss):
    x, t = np.ones((0, 3)), np.ones((0, 3)) if loss in PAIRS else np.ones(0, int)
    with pytest.raises(tm.ShapeError, match="empty"):
        getattr(F, loss)(x, t)
    assert getattr(F, loss)(x, t, reduction="sum").item() == 0


def test_labels_of_scores_are_whole_numbers_or_probabilities_of_their_shape():
    for labels in (np.ones(3), np.ones((3, 1))):
        with pytest.raises(tm.MathError):
            F.cross_entropy(np.ones((3, 2)), labels)
    with pytest.raises(tm.DTypeError, match="whole numbers"):
        F.nll_loss(np.ones((3, 2)), np.ones(3))
    with pytest.raises(tm.ShapeError, match="labels"):
        F.cross_entropy(np.ones((3, 2)), np.ones((3, 1), int))


@pytest.mark.parametrize("way", WAYS)
def test_all_labels_ignored_or_of_weight_zero_have_no_mean(way):
    with pytest.raises(tm.OutsideDomain, match="weight"):
        WAYS[way](lambda x: F.cross_entropy(x, np.array([5, 5]), ignore_index=5), np.ones((2, 3)))
    with pytest.raises(tm.OutsideDomain, match="weight"):
        WAYS[way](lambda x: F.nll_loss(x, np.array([1, 1]), np.array([1.0, 0.0, 1.0])), np.ones((2, 3)))
    assert F.cross_entropy(np.ones((2, 3)), np.array([5, 5]), ignore_index=5, reduction="sum").item() == 0


@pytest.mark.parametrize("loss", [*PAIRS, "cross_entropy", "nll_loss"])
def test_an_unknown_reduction_is_named(loss):
    t = np.ones((2, 3)) if loss in PAIRS else np.ones(2, int)
    with pytest.raises(tm.ArgumentError, match="average"):
        getattr(F, loss)(np.ones((2, 3)), t, reduction="average")


def test_a_probability_at_its_ends_has_the_derivative_of_the_formula():
    """Where PyTorch has 0 for a right answer that is certain: 1 / (1 - a) is 1 at a = 0, and -1 / a is -1 at a = 1."""
    a, b = np.array([0.0, 1.0, 1e-20]), np.array([0.0, 1.0, 0.0])
    g = tm.grad(lambda a: F.binary_cross_entropy(a, b, reduction="sum"))(a)
    np.testing.assert_allclose(g.numpy(), [1.0, -1.0, 1.0])


SETTINGS = {
    "mean": {}, "sum": {"reduction": "sum"}, "weighted": {"weight": np.array([0.5, 1.0, 2.0])},
    "smoothed": {"label_smoothing": 0.2}, "all of it": {"weight": np.array([0.5, 1.0, 2.0]), "label_smoothing": 0.3},
}  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("shape", [(3,), (3, 4)], ids=["rows", "pixels"])
@pytest.mark.parametrize("way", ["eagerly", "compiled"])
def test_scores_that_do_not_count_are_not_read_in_slopes_either(way, shape, settings):
    """Whatever stands there, NaN and infinities, all derivatives are those of the other scores, and 0."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, shape)
    labels[1] = -100
    scores, t = rng.normal(size=(2, shape[0], 3, *shape[1:]))
    spoilt = scores.copy()
    spoilt[1] = np.resize([np.nan, np.inf, -np.inf, 1e308], spoilt[1].shape)

    def everything(x, labels):
        def f(x):
            return F.cross_entropy(x, labels, **settings)

        return tm.value_and_grad(f)(x), tm.jvp(f, (x,), (t,))[1], tm.hvp(f, x, t)

    for a, b in zip(*(tm.tree_leaves(WAYS[way](everything, x, labels)) for x in (scores, spoilt)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-13, atol=1e-16)
        assert not a.ndim or not np.any(b.numpy()[1])


@pytest.mark.parametrize("ignored", [-100, 0, 2, 7])
@pytest.mark.parametrize("labels", [[0, 1, 2], [2, 2, 1], [1, 7, 0], [0, -100, 0], [-1, 0, 1], [0, 3, 1]])
def test_labels_count_unless_they_are_to_be_ignored_and_are_refused_unless_they_are_classes(labels, ignored):
    scores, labels = np.array([[0.5, -1.0, 2.0], [0.0, 0.25, 0.5], [3.0, -2.0, 1.0]]), np.array(labels)
    counted = labels != ignored
    if np.any(counted & ((labels < 0) | (labels > 2))):
        with pytest.raises(tm.OutsideDomain, match="0 to 2"):
            F.cross_entropy(scores, labels, ignore_index=ignored)
        return
    x = tm.tensor(scores, requires_grad=True)
    loss = F.cross_entropy(x, labels, ignore_index=ignored)
    loss.backward()
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rows = np.flatnonzero(counted)
    assert loss.item() == pytest.approx(-np.log(shares[rows, labels[rows]]).mean(), rel=1e-13)
    want = np.where(counted[:, None], shares, 0.0)
    want[rows, labels[rows]] -= 1
    np.testing.assert_allclose(x.grad.numpy(), want / len(rows), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("which", ["scores", "labels", "both"])
@pytest.mark.parametrize("backend", [None, "numpy"])
def test_mean_losses_of_many_batches_are_those_of_each(which, backend):
    """Each by its formula: a batch divides by the number of its own labels that count."""
    scores = np.random.default_rng(0).normal(size=(3, 4, 5))
    labels = np.array([[0, 4, 2, 1], [2, 2, -100, 3], [-100, -100, 1, 0]])
    axes = (None if which == "labels" else 0), (None if which == "scores" else 0)
    given = (scores if axes[0] == 0 else scores[1]), (labels if axes[1] == 0 else labels[1])
    mean, slopes = tm.vmap(tm.value_and_grad(F.cross_entropy), in_axes=axes), []
    found, grads = (tm.compile(mean, backend=backend) if backend else mean)(*given)
    for k in range(3):
        z, c = (scores[k] if axes[0] == 0 else scores[1]), (labels[k] if axes[1] == 0 else labels[1])
        shares, kept = np.exp(z) / np.exp(z).sum(1, keepdims=True), np.flatnonzero(c >= 0)
        np.testing.assert_allclose(found.numpy()[k], -np.log(shares[kept, c[kept]]).mean(), rtol=1e-13)
        shares[kept, c[kept]] -= 1
        slopes.append(np.where(c[:, None] >= 0, shares, 0) / len(kept))
    np.testing.assert_allclose(grads.numpy(), slopes, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("gap", [8.0, 30.0, 40.0, 700.0])
def test_slopes_and_curvature_of_a_score_that_has_won_keep_their_digits(gap):
    """For two classes p = 1 / (1 + exp(gap)) is the other one's share, and log p_0 has the slopes (p, -p)."""
    z, e = np.array([gap, 0.0]), math.exp(-gap)
    p, bent = e / (1 + e), e / (1 + e) ** 2  # and p (1 - p)
    away, both = np.array([-1.0, 1.0]), np.array([[1.0, -1.0], [-1.0, 1.0]])
    losses = [
        lambda z: F.cross_entropy(z, 0),
        lambda z: F.cross_entropy(z[None], [0]),
        lambda z: F.cross_entropy(tm.stack([z, z * 0]), [0, -1], ignore_index=-1, weight=[2.0, 3.0]),
        lambda z: F.cross_entropy(z, np.array([1.0, 0.0])),
        lambda z: -tm.log_softmax(z)[0],
        lambda z: tm.special.logsumexp(z) - z[0],
    ]
    toward, first = np.array([1.0, 0.0]), lambda f: lambda z: tm.jvp(f, (z,), (toward,))[1]
    for how in (tm.compile, tm.compile(backend="native"), lambda f: lambda z: tm.vmap(f)(np.stack([z, z]))[1]):
        for f in losses[:5]:
            np.testing.assert_allclose(how(tm.grad(f))(z), p * away, rtol=1e-12)
            np.testing.assert_allclose(how(first(f))(z), -p, rtol=1e-12)
            np.testing.assert_allclose(how(tm.hessian(f))(z), bent * both, rtol=1e-12)
    for f in losses[:5]:
        np.testing.assert_allclose(tm.grad(f)(z), p * away, rtol=1e-12)
        np.testing.assert_allclose(first(f)(z), -p, rtol=1e-12)
    for f in losses:
        np.testing.assert_allclose(tm.hessian(f)(z), bent * both, rtol=1e-12)
        np.testing.assert_allclose(first(first(f))(z), bent, rtol=1e-12)
    for k in (0, 1):
        np.testing.assert_allclose(tm.grad(lambda z: tm.softmax(z)[k])(z), -bent * away * (1, -1)[k], rtol=1e-12)
        np.testing.assert_allclose(first(lambda z: tm.softmax(z)[k])(z), bent * (1, -1)[k], rtol=1e-12)
    np.testing.assert_allclose(tm.hessian(lambda z: tm.softmax(z)[0])(z), bent * (2 * p - 1) * both, rtol=1e-12)
    smooth = tm.grad(lambda z: F.cross_entropy(z, 0, label_smoothing=0.1))(z)
    np.testing.assert_allclose(smooth, (0.05 - p) * -away, rtol=1e-12)


def test_of_many_rows_each_has_its_own_winner_along_any_axis():
    z = np.array([[50.0, 0.0, 1.0], [0.0, 0.3, -0.2], [3.0, 2.0, 90.0], [1.0, 60.0, 0.0]])
    g = np.array([[1.0, 0.5, -2.0], [0.3, 0.0, 1.0], [0.0, 0.0, 1.0], [2.0, 1.0, 1e-9]])
    rows, logs, logs_along = [], [], []
    with mpmath.workdps(80):
        for scores, weights in zip(z.tolist(), g.tolist(), strict=True):
            e = [mpmath.exp(v) for v in scores]
            p, w = [v / sum(e) for v in e], [mpmath.mpf(v) for v in weights]
            mean = sum(a * b for a, b in zip(p, w, strict=True))
            rows.append([float(a * (b - mean)) for a, b in zip(p, w, strict=True)])
            logs.append([float(b - a * sum(w)) for a, b in zip(p, w, strict=True)])
            logs_along.append([float(b - mean) for b in w])
    for f, want, forward in ((tm.softmax, rows, rows), (tm.log_softmax, logs, logs_along)):
        np.testing.assert_allclose(tm.grad(lambda z: (f(z) * g).sum())(z), want, rtol=1e-11)
        np.testing.assert_allclose(tm.grad(lambda z: (f(z, axis=0) * g.T).sum())(z.T), np.transpose(want), rtol=1e-11)
        for backend in ("numpy", "native"):
            compiled = tm.compile(tm.grad(lambda z: (f(z) * g).sum()), backend=backend)
            np.testing.assert_allclose(compiled(0 * z), tm.grad(lambda z: (f(z) * g).sum())(0 * z), rtol=1e-14)
            np.testing.assert_allclose(compiled(z), want, rtol=1e-11)
            along = tm.compile(lambda z, f=f: tm.jvp(f, (z,), (g,))[1], backend=backend)
            along(0 * z)  # where no share has won
            np.testing.assert_allclose(along(z), forward, rtol=1e-11)
