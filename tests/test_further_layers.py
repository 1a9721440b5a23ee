"""Layers, losses, schedules and averages beyond their numbers, which test_layers.py and its kin hold to PyTorch's."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import nn

F, L, S = nn.functional, tm.optim.lr_scheduler, tm.optim.swa_utils
RNG = np.random.default_rng(0)


def optimiser(lr=1.0, **options):
    return tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=lr, **options)


def slope(f, x):
    return tm.grad(lambda x: f(x).sum())(np.asarray(x, float)).tolist()


# -- activations and losses -------------------------------------------------------------------------
def test_hardsigmoid_has_its_slope_in_double_precision_and_none_at_its_bends():
    x = np.array([-4.0, -3.0, -1.5, 0.0, 3.0, 9.0])
    np.testing.assert_allclose(F.hardsigmoid(x).numpy(), np.clip(x / 6 + 0.5, 0, 1), rtol=1e-15)
    assert slope(F.hardsigmoid, x) == [0.0, 0.0, 1 / 6, 1 / 6, 0.0, 0.0]
    np.testing.assert_array_equal(nn.Hardsigmoid()(x).numpy(), F.hardsigmoid(x).numpy())


@pytest.mark.parametrize("f", [F.hardshrink, F.softshrink, F.hardswish, F.hardsigmoid, F.tanhshrink])
def test_activations_with_bends_take_infinities_and_pass_nan_on(f):
    y = f(np.array([np.inf, np.nan])).numpy()
    assert y[0] == (1.0 if f is F.hardsigmoid else np.inf)
    assert np.isnan(y[1])


def test_a_soft_margin_does_not_overflow():
    assert F.soft_margin_loss(np.array([-1e4]), [1.0]).item() == 1e4


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.margin_ranking_loss(np.ones(3), np.ones((3, 1)), np.ones(3)),
        lambda: F.margin_ranking_loss(np.ones(3), np.ones(3), np.ones((3, 1))),
        lambda: F.margin_ranking_loss(np.ones(3), np.ones(3), np.zeros(3)),
        lambda: F.soft_margin_loss(np.ones(2), [0.0, 1.0]),
        lambda: F.triplet_margin_loss(np.ones((2, 3)), np.ones((2, 3)), np.ones((1, 3))),
        lambda: F.triplet_margin_loss(*[np.ones((2, 3))] * 3, margin=0.0),
        lambda: nn.TripletMarginLoss(margin=-1.0),
        lambda: F.multi_margin_loss(np.ones((2, 3)), [0, 3]),
        lambda: F.multi_margin_loss(np.ones((2, 3)), [0.0, 1.0]),
        lambda: F.multi_margin_loss(np.ones((2, 3)), [0, 1], p=3),
        lambda: F.multilabel_soft_margin_loss(np.ones((2, 3)), np.ones((2, 3)), weight=np.ones(2)),
        lambda: F.glu(np.ones((2, 3))),
        lambda: F.glu(np.ones((2, 4)), dim=2),
        lambda: F.gumbel_softmax(np.ones(3), tau=0.0),
        lambda: F.softshrink(np.ones(3), -1.0),
        lambda: F.pdist(np.ones(3)),
        lambda: F.unfold(np.ones((1, 1, 2, 2)), 3),
        lambda: F.fold(np.ones((1, 4, 5)), (3, 3), 2),
        lambda: F.pixel_unshuffle(np.ones((1, 1, 3, 2)), 2),
        lambda: F.lp_pool1d(np.ones((1, 1, 4)), 0, 2),
        lambda: nn.ReflectionPad1d((1, 2, 3)),
        lambda: nn.AdaptiveMaxPool1d(2)(np.ones((1, 2, 0))),
    ],
)
def test_what_does_not_fit_is_a_named_error(call):
    with pytest.raises(tm.MathError):
        call()


def test_a_hard_choice_is_one_hot_and_has_the_slope_of_the_soft_one():
    x = RNG.normal(size=(4, 3))
    tm.random.seed(1)
    soft = F.gumbel_softmax(x, tau=0.7).numpy()
    tm.random.seed(1)
    hard = F.gumbel_softmax(x, tau=0.7, hard=True).numpy()
    np.testing.assert_allclose(hard, np.eye(3)[soft.argmax(1)], atol=1e-15)
    w, found = RNG.normal(size=(4, 3)), []
    for kind in (False, True):
        tm.random.seed(1)
        found.append(tm.grad(lambda x, k=kind: (F.gumbel_softmax(x, 0.7, k) * w).sum())(x).numpy())
    by_hand = soft * (w - (soft * w).sum(1, keepdims=True)) / 0.7
    np.testing.assert_allclose(found[0], by_hand, rtol=1e-12)
    np.testing.assert_allclose(found[1], by_hand, rtol=1e-12)


def test_draws_of_a_choice_have_the_probabilities_of_the_softmax():
    tm.random.seed(2)
    share = F.gumbel_softmax(np.tile([0.0, 1.0], (4000, 1)), hard=True).numpy().mean(0)
    np.testing.assert_allclose(share, [1 / (1 + np.e), np.e / (1 + np.e)], atol=0.03)


def test_alpha_dropout_keeps_mean_and_variance():
    tm.random.seed(3)
    y = nn.AlphaDropout(0.3)(RNG.normal(size=40_000)).numpy()
    assert abs(y.mean()) < 0.03
    assert abs(y.var() - 1) < 0.05
    x = RNG.normal(size=5)
    np.testing.assert_array_equal(F.alpha_dropout(x).numpy(), x)  # not in training unless asked for
    assert nn.Dropout1d(0.5)(np.ones((3, 4, 5))).numpy().var(axis=2).max() == 0


# -- tables -----------------------------------------------------------------------------------------
def test_a_table_is_taken_over_and_held_fixed_or_learnt():
    table = RNG.normal(size=(4, 3)).astype(np.float32)
    for freeze in (True, False):
        layer = nn.Embedding.from_pretrained(table, freeze=freeze, padding_idx=-1)
        assert layer.weight.requires_grad is not freeze
        assert layer.weight.dtype == np.float32
        np.testing.assert_array_equal(layer([1, 3]).detach().numpy(), table[[1, 3]])
    assert nn.EmbeddingBag.from_pretrained(table)([[0, 1]]).shape == (1, 3)


def test_bags_may_be_empty_and_their_bounds_are_checked():
    bag = nn.EmbeddingBag(4, 2, mode="max", rng=0)
    rows = bag.weight.detach().numpy()
    y = bag([3, 1, 2], [0, 0, 2, 3]).detach().numpy()
    np.testing.assert_array_equal(y, [[0, 0], rows[[3, 1]].max(0), rows[2], [0, 0]])
    assert F.embedding_bag(np.zeros(0, int), rows, [0, 0]).tolist() == [[0.0, 0.0]] * 2
    for offsets in ([1, 2], [0, 4], [0, 2, 1], [[0]], [0.0]):
        with pytest.raises(tm.ArgumentError, match="offsets"):
            bag([3, 1, 2], offsets)
    with pytest.raises(tm.ArgumentError, match="rise from 0 to the 3"):
        F.embedding_bag([3, 1, 2], rows, [0, 2], include_last_offset=True)
    with pytest.raises(tm.ArgumentError, match="mode='sum'"):
        F.embedding_bag([[0, 1]], rows, per_sample_weights=[[1.0, 2.0]])
    with pytest.raises(tm.ShapeError, match="with offsets"):
        bag([3, 1, 2])
    with pytest.raises(tm.OutsideDomain):
        bag([[4]])


def test_lists_and_dicts_of_parameters_are_trees_and_are_saved():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = nn.ParameterList([np.ones(2), nn.Parameter([2.0])])
            self.by_name = nn.ParameterDict({"a": nn.Parameter(3.0)})

        def forward(self, x):
            return x * self.by_name["a"] + sum(p.sum() for p in self.rows)

    net = Net()
    net.rows.append(nn.Parameter([5.0]))
    net.by_name.update({"b": np.zeros(3)})
    assert list(net.state_dict()) == ["rows.0", "rows.1", "rows.2", "by_name.a", "by_name.b"]
    assert "ParameterList((2,), (1,), (1,))" in repr(net)
    slopes = tm.grad(lambda net: net(4.0))(net)
    assert slopes.by_name["a"].item() == 4.0
    assert [p.tolist() for p in slopes.rows] == [[1.0, 1.0], [1.0], [1.0]]
    assert net.by_name.pop("b").shape == (3,)
    assert "b" not in net.by_name
    assert len(net.rows[1:]) == 2
    for wrong in (
        lambda: net.rows.append("x"),
        lambda: net.by_name.update({"names": np.ones(1)}),
        lambda: net.by_name["c"],
    ):
        with pytest.raises(tm.ArgumentError):
            wrong()


# -- schedules --------------------------------------------------------------------------------------
def test_a_plateau_and_a_schedule_lower_the_rate_together():
    opt = optimiser()
    decay, plateau = L.ExponentialLR(opt, 0.5), L.ReduceLROnPlateau(opt, factor=0.1, patience=0)
    for loss in (3.0, 2.0, 2.0, 1.0):
        plateau.step(loss)
        decay.step()
    np.testing.assert_allclose(opt.param_groups[0]["lr"], 0.1 * 0.5**4, rtol=1e-14)


def test_a_rate_that_is_set_by_hand_is_gone_on_from():
    opt = optimiser()
    schedule = L.StepLR(opt, 2, 0.5)
    opt.param_groups[0]["lr"] = 8.0
    rates = [(schedule.step(), schedule.get_last_lr()[0])[1] for _ in range(4)]
    assert rates == [8.0, 4.0, 4.0, 2.0]
    kept = schedule.state_dict()
    opt.param_groups[0]["lr"] = 1.0
    schedule.load_state_dict(kept)
    assert schedule.get_last_lr() == [2.0]
    with pytest.raises(tm.ArgumentError, match="step sizes"):
        schedule.load_state_dict({**kept, "last_lr": [1.0, 2.0]})
    without = {k: v for k, v in kept.items() if k != "last_lr"}  # as 0.4.0 kept it
    schedule.load_state_dict(without)
    assert schedule.get_last_lr() == [0.25]


def test_a_chain_whose_part_has_ended_stays_where_it_was():
    opt = optimiser(momentum=0.9)
    chain = L.ChainedScheduler([L.ExponentialLR(opt, 0.5), L.OneCycleLR(opt, 1.0, total_steps=3)])
    chain.step(), chain.step(), chain.step()
    before = chain.state_dict(), dict(opt.param_groups[0])
    with pytest.raises(tm.ArgumentError, match="step 4 of 3"):
        chain.step()
    assert (chain.state_dict(), dict(opt.param_groups[0])) == before
    other = L.ExponentialLR(optimiser(), 0.5)
    for wrong in ([], other, [L.ReduceLROnPlateau(opt)], [chain.schedulers[0], other]):
        with pytest.raises(tm.ArgumentError):
            L.ChainedScheduler(wrong)
    with pytest.raises(tm.ArgumentError, match="2 schedules"):
        chain.load_state_dict({"schedulers": [{}]})


def test_a_cycle_is_checked_and_goes_by_batches_in_a_fit():
    for wrong in ({"mode": "square"}, {"scale_mode": "epoch"}, {"step_size_up": 0}, {"max_lr": [1.0, 2.0]}):
        with pytest.raises(tm.ArgumentError):
            L.CyclicLR(optimiser(), **{"base_lr": 0.1, "max_lr": 1.0, **wrong})
    with pytest.raises(tm.ArgumentError, match="cycle_momentum"):
        L.CyclicLR(tm.optim.Adagrad([tm.tensor(1.0, requires_grad=True)]), 0.1, 1.0)
    net = nn.Linear(2, 1, rng=0)
    opt = tm.optim.SGD(net.parameters(), lr=0.1)
    cycle = L.CyclicLR(opt, 0.01, 0.05, step_size_up=3)
    data = tm.data.DataLoader((RNG.normal(size=(20, 2)), RNG.normal(size=(20, 1))), batch_size=5)
    tm.train.fit(net, data, F.mse_loss, opt, epochs=2, scheduler=cycle, progress=False)
    assert cycle.last_epoch == 8


# -- averages ---------------------------------------------------------------------------------------
def trained(average):
    net = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3))
    kept, mean = [], average(net)
    for k in range(4):
        for p in net.parameters():
            p._replace(RNG.normal(size=p.shape))
        net(RNG.normal(size=(5, 2)) + k)
        kept.append(net.state_dict())
        mean.update_parameters(net)
    return net, kept, mean


def test_averages_are_equal_or_fade_and_buffers_are_those_of_the_last_step_or_averaged():
    _, kept, mean = trained(S.AveragedModel)
    for name in ("0.weight", "1.bias"):
        found = mean.state_dict()[f"module.{name}"]
        np.testing.assert_allclose(found, np.mean([k[name] for k in kept], axis=0), rtol=1e-13)
    np.testing.assert_array_equal(mean.state_dict()["module.1.running_mean"], kept[-1]["1.running_mean"])
    assert mean.n_averaged.item() == 4
    want = lambda name: 0.125 * kept[0][name] + 0.125 * kept[1][name] + 0.25 * kept[2][name] + 0.5 * kept[3][name]  # noqa: E731
    for options in ({"avg_fn": S.get_ema_avg_fn(0.5)}, {"multi_avg_fn": S.get_ema_multi_avg_fn(0.5)}):
        _, kept, mean = trained(lambda net, o=options: S.AveragedModel(net, use_buffers=True, **o))
        for name in ("0.weight", "1.running_var"):
            np.testing.assert_allclose(mean.state_dict()[f"module.{name}"], want(name), rtol=1e-13)
    net = nn.Linear(1, 1)
    with pytest.raises(tm.ArgumentError, match="another network"):
        mean.update_parameters(net)
    with pytest.raises(tm.ArgumentError, match="not both"):
        S.AveragedModel(net, avg_fn=max, multi_avg_fn=max)
    with pytest.raises(tm.ArgumentError, match="decay"):
        S.get_ema_avg_fn(1.5)


def test_running_values_of_an_average_are_those_of_the_data():
    _, _, mean = trained(S.AveragedModel)
    x = RNG.normal(size=(30, 2))
    mean.eval()
    S.update_bn([(x[:10], 0), (x[10:20], 0), (x[20:], 0)], mean)
    h = mean.module[0](x).detach().numpy().reshape(3, 10, 3)
    np.testing.assert_allclose(mean.module[1].running_mean.numpy(), h.mean(1).mean(0), rtol=1e-12)
    np.testing.assert_allclose(mean.module[1].running_var.numpy(), h.var(1, ddof=1).mean(0), rtol=1e-12)
    assert mean.module[1].momentum == 0.1
    assert not any(m.training for m in mean.modules())


def test_the_rate_of_averaging_begins_where_the_rate_is():
    opt = optimiser()
    main, last = L.ExponentialLR(opt, 0.5), S.SWALR(opt, swa_lr=0.01, anneal_epochs=2, anneal_strategy="linear")
    main.step(), main.step()
    rates = [(last.step(), last.get_last_lr()[0])[1] for _ in range(3)]
    np.testing.assert_allclose(rates, [0.13, 0.01, 0.01], rtol=1e-14)
    last.load_state_dict(last.state_dict())
    assert last.get_last_lr()[0] == rates[-1]
    with pytest.raises(tm.ArgumentError, match="'cos' or 'linear'"):
        S.SWALR(opt, 0.1, anneal_strategy="step")
