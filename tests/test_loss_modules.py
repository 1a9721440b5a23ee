"""The losses as modules: the numbers of their functions, options given once, and what fit says of what cannot be."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import nn

RNG = np.random.default_rng(0)
A, B, V = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3)), RNG.uniform(0.5, 2, (5, 3))
P, Q = (RNG.dirichlet(np.ones(3), 5) for _ in range(2))
LABELS = np.array([0, 2, 1, 2, 0])
WEIGHT = np.array([0.5, 1.0, 3.0])
LOGS = np.log(P)
SIGMOID = 1 / (1 + np.exp(-A))


def huber(d, at):
    return np.where(np.abs(d) <= at, d**2 / 2, at * (np.abs(d) - at / 2))


# the module, what it is called with, and what each element's loss is, in plain NumPy
LOSSES = [
    (lambda **o: nn.MSELoss(**o), (A, B), (A - B) ** 2),
    (lambda **o: nn.L1Loss(**o), (A, B), np.abs(A - B)),
    (lambda **o: nn.SmoothL1Loss(beta=0.7, **o), (A, B), huber(A - B, 0.7) / 0.7),
    (lambda **o: nn.HuberLoss(delta=0.7, **o), (A, B), huber(A - B, 0.7)),
    (lambda **o: nn.CrossEntropyLoss(**o), (LOGS + 3.0, LABELS), -LOGS[np.arange(5), LABELS]),
    (lambda **o: nn.NLLLoss(**o), (LOGS, LABELS), -LOGS[np.arange(5), LABELS]),
    (lambda **o: nn.BCELoss(**o), (P, Q), -(Q * np.log(P) + (1 - Q) * np.log(1 - P))),
    (lambda **o: nn.BCEWithLogitsLoss(**o), (A, Q), -(Q * np.log(SIGMOID) + (1 - Q) * np.log(1 - SIGMOID))),
    (lambda **o: nn.KLDivLoss(**o), (LOGS, Q), Q * (np.log(Q) - LOGS)),
    (lambda **o: nn.PoissonNLLLoss(**o), (A, V), np.exp(A) - V * A),
    (lambda **o: nn.GaussianNLLLoss(**o), (A, B, V), (np.log(V) + (A - B) ** 2 / V) / 2),
]


@pytest.mark.parametrize(("make", "given", "each"), LOSSES)
def test_a_loss_module_gives_each_loss_their_mean_and_their_sum(make, given, each):
    for reduction, want in (("none", each), ("mean", each.mean()), ("sum", each.sum())):
        np.testing.assert_allclose(make(reduction=reduction)(*given).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(make()(*given).numpy(), each.mean(), rtol=1e-12)


@pytest.mark.parametrize(("make", "given", "each"), LOSSES)
def test_a_loss_module_passes_gradients_on(make, given, each):
    loss = make(reduction="sum")
    start = given[0]
    slope = tm.grad(lambda x: loss(x, *given[1:]))(start).numpy()
    step = 1e-6 * RNG.normal(size=start.shape)
    found = loss(start + step, *given[1:]).item() - loss(start - step, *given[1:]).item()
    np.testing.assert_allclose((slope * step).sum(), found / 2, rtol=1e-5)


def test_weights_are_buffers_that_are_saved_and_not_learnt():
    loss = nn.CrossEntropyLoss(weight=WEIGHT)
    share = WEIGHT[LABELS]
    want = -(share * LOGS[np.arange(5), LABELS]).sum() / share.sum()
    np.testing.assert_allclose(loss(LOGS, LABELS).numpy(), want, rtol=1e-12)
    assert list(loss.state_dict()) == ["weight"]
    assert list(loss.parameters()) == []
    twin = nn.CrossEntropyLoss(weight=np.ones(3))
    twin.load_state_dict(loss.state_dict())
    np.testing.assert_allclose(twin(LOGS, LABELS).numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss])
def test_a_reduction_that_is_none_of_them_is_refused_when_it_is_given(kind):
    with pytest.raises(tm.ArgumentError, match="'mean' or 'sum' or 'none', got 'average'"):
        kind(reduction="average")
    with pytest.raises(tm.ArgumentError, match="batchmean"):
        nn.KLDivLoss(reduction="average")


@pytest.mark.parametrize("compile", [False, True])
def test_fit_takes_a_loss_module(compile):
    def weights(loss):
        net = nn.Linear(3, 3, rng=0)
        tm.train.fit(net, (A, LABELS), loss, tm.optim.Adam(net.parameters()), 3, compile=compile, progress=False)
        return net.weight.detach().numpy()

    share = WEIGHT[LABELS]

    def by_hand(scores, labels):
        logs = tm.special.log_softmax(scores, axis=1)
        picked = logs[np.arange(5), labels] * tm.asarray(WEIGHT)[labels]
        return -tm.sum(picked) / share.sum()

    np.testing.assert_allclose(weights(nn.CrossEntropyLoss(weight=WEIGHT)), weights(by_hand), rtol=1e-9)


@pytest.mark.parametrize("compile", [False, True])
def test_fit_refuses_an_optimiser_that_would_leave_the_model_as_it_is(compile):
    net, other = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=0)
    with pytest.raises(tm.ArgumentError, match="is of this model"):
        tm.train.fit(
            net, (A, LABELS), nn.CrossEntropyLoss(), tm.optim.SGD(other, lr=0.1), compile=compile, progress=False
        )


def test_fit_trains_the_parameters_of_a_loss():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(3.0)

        def forward(self, prediction, target):
            return nn.functional.mse_loss(prediction * self.scale, target)

    net, loss = nn.Identity(), Scaled()
    tm.train.fit(net, (A, 2 * A), loss, tm.optim.SGD(loss.parameters(), lr=0.1), 200, progress=False)
    np.testing.assert_allclose(loss.scale.detach().numpy(), 2.0, rtol=1e-6)


@pytest.mark.parametrize("kind", [tm.optim.LBFGS, tm.optim.NewtonCG, tm.optim.LevenbergMarquardt])
@pytest.mark.parametrize("compile", [False, True])
def test_fit_says_what_to_do_with_an_optimiser_that_needs_a_closure(kind, compile):
    net = nn.Linear(3, 3, rng=0)
    with pytest.raises(tm.ArgumentError, match=r"optimizer\.step\(closure\) in a loop"):
        tm.train.fit(net, (A, LABELS), nn.CrossEntropyLoss(), kind(net.parameters()), compile=compile, progress=False)


def test_a_number_that_is_no_row_is_told_of_as_such():
    with pytest.raises(tm.OutsideDomain, match="a number of a row is one of 4, 0 to 3, got 7"):
        nn.Embedding(4, 2)(np.array([1, 7]))
    with pytest.raises(tm.OutsideDomain, match="a class is one of 3, 0 to 2, got 5"):
        nn.functional.one_hot([1, 5], 3)
    with pytest.raises(tm.OutsideDomain, match="a label is one of 3, 0 to 2, got 3"):
        nn.CrossEntropyLoss()(A, LABELS + 1)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_losses_of_plain_arrays_are_tensors(reduction):
    f = nn.functional
    found = [
        f.nll_loss(LOGS, LABELS, reduction=reduction),
        f.nll_loss(LOGS[0], np.array(1), reduction=reduction),
        f.nll_loss(LOGS, LABELS, weight=WEIGHT, reduction=reduction),
        f.cross_entropy(LOGS, P, reduction=reduction),
        f.mse_loss(A, B, reduction=reduction),
    ]
    assert [type(y) for y in found] == [tm.Tensor] * len(found)
