"""Optimisers and schedules go PyTorch's way step for step; see references.py."""

import copy

import numpy as np
import pytest
import reference_steps as steps
from agreement import STORED

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

schedules = tm.optim.lr_scheduler


def leaves(dtype=np.float64):
    return [tm.tensor(p, requires_grad=True, dtype=dtype) for p in steps.start()]


def made(name, parameters=None):
    kind, arguments = steps.OPTIMISERS[name]
    return getattr(tm.optim, kind)(parameters, **arguments)


def row(parameters):
    return np.concatenate([np.ravel(tm.asarray(p).detach().numpy()) for p in parameters])


def advance(optimiser, parameters, ks):
    for k in ks:
        optimiser.zero_grad()
        steps.problem(parameters, k).backward()
        optimiser.step()


@pytest.mark.parametrize("name", steps.OPTIMISERS)
def test_steps_are_those_of_pytorch(name):
    parameters = leaves()
    optimiser, want = made(name, parameters), STORED.parts(name)["steps"]
    for k in range(steps.STEPS):
        advance(optimiser, parameters, [k])
        np.testing.assert_allclose(row(parameters), want[k], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", steps.OPTIMISERS)
def test_the_pure_form_goes_the_same_way_also_compiled(name):
    pure, tree = made(name), {"a": steps.start()[0], "b": steps.start()[1:]}
    state, want = pure.init(tree), STORED.parts(name)["steps"]
    compiled_tree, compiled_state = tree, state
    update = tm.compile(lambda grads, state, tree: pure.update(grads, state, tree))
    for k in range(4):

        def loss(tree, k=k):
            return steps.problem([tree["a"], *tree["b"]], k)

        tree, state = pure.update(tm.grad(loss)(tree), state, tree)
        compiled_tree, compiled_state = update(tm.grad(loss)(compiled_tree), compiled_state, compiled_tree)
        np.testing.assert_allclose(row([tree["a"], *tree["b"]]), want[k], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(row([compiled_tree["a"], *compiled_tree["b"]]), want[k], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", steps.OPTIMISERS)
def test_a_saved_state_goes_on_bit_for_bit(name, tmp_path):
    whole, parts = leaves(), leaves()
    one, two = made(name, whole), made(name, parts)
    advance(one, whole, range(6))
    advance(two, parts, range(3))
    tm.save(tmp_path / "state.npz", {"state": two.state_dict(), "parameters": [p.detach().numpy() for p in parts]})
    kept = tm.load(tmp_path / "state.npz")
    resumed = [tm.tensor(p, requires_grad=True) for p in kept["parameters"]]
    three = getattr(tm.optim, steps.OPTIMISERS[name][0])(resumed)
    three.load_state_dict(kept["state"])
    advance(three, resumed, range(3, 6))
    np.testing.assert_array_equal(row(resumed), row(whole))


@pytest.mark.parametrize("name", steps.OPTIMISERS)
def test_float32_stays_float32(name):
    parameters = leaves(np.float32)
    optimiser = made(name, parameters)
    advance(optimiser, parameters, range(3))
    assert all(p.dtype == np.float32 for p in parameters)
    state = [v for part in optimiser.state.values() for v in part.values() if np.ndim(v)]
    assert all(v.dtype == np.float32 for v in state)
    pure, tree = made(name), [np.asarray(p, np.float32) for p in steps.start()]
    new, _ = pure.update(tm.grad(lambda tree: steps.problem(tree, 0))(tree), pure.init(tree), tree)
    assert all(p.dtype == np.float32 for p in new)
    np.testing.assert_allclose(row(parameters), STORED.parts(name)["steps"][2], rtol=1e-3, atol=1e-3)


KINDS = sorted({kind for kind, _ in steps.OPTIMISERS.values()})


@pytest.mark.parametrize("kind", KINDS)
def test_groups_have_their_own_numbers_which_may_change(kind):
    a, b, c = leaves()
    d, e, f = leaves()
    grouped = getattr(tm.optim, kind)([{"params": [a]}, {"params": [b, c], "lr": 0.2}], lr=0.1)
    first, second = getattr(tm.optim, kind)([d], lr=0.1), getattr(tm.optim, kind)([e, f], lr=0.2)
    for k in range(4):
        if k == 2:
            grouped.param_groups[1]["lr"] = second.param_groups[0]["lr"] = 0.05
        advance(grouped, [a, b, c], [k])
        for optimiser in (first, second):
            optimiser.zero_grad()
        steps.problem([d, e, f], k).backward()
        first.step(), second.step()
    np.testing.assert_array_equal(row([a, b, c]), row([d, e, f]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_without_a_gradient_is_left_alone(kind):
    used, unused = leaves()[:2]
    optimiser = getattr(tm.optim, kind)([used, unused], lr=0.1)
    before = unused.detach().numpy().copy()
    advance(optimiser, [used], range(2))
    np.testing.assert_array_equal(unused.detach().numpy(), before)
    assert not np.array_equal(used.detach().numpy(), steps.start()[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"lr": "fast"}, {"lr": float("nan")}])
def test_numbers_out_of_bounds_are_named(kind, wrong):
    with pytest.raises(tm.MathError, match="lr"):
        getattr(tm.optim, kind)(leaves(), **wrong)


def test_a_module_is_trained_by_every_optimiser_over_its_tree():
    x, y = tm.data.sine(32, rng=0)[:]
    for kind in KINDS:
        net = tm.nn.Sequential(tm.nn.Linear(1, 8, rng=0), tm.nn.Tanh(), tm.nn.Linear(8, 1, rng=1))
        pure = getattr(tm.optim, kind)()
        state, start = pure.init(net), F.mse_loss(net(x), y).item()
        for _ in range(5):
            net, state = pure.update(tm.grad(lambda m: F.mse_loss(m(x), y))(net), state, net)
        assert isinstance(net, tm.nn.Sequential)
        assert F.mse_loss(net(x), y).item() < start


# -- schedules --------------------------------------------------------------------------------------
def optimiser_for(arguments):
    return tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], **arguments)


@pytest.mark.parametrize("name", steps.SCHEDULES)
def test_schedules_are_those_of_pytorch(name):
    arguments, make = steps.SCHEDULES[name]
    optimiser = optimiser_for(arguments)
    schedule, want = make(schedules, optimiser), STORED.parts(name)["rates"]
    for k in range(steps.EPOCHS):
        found = [optimiser.param_groups[0][part] for part in arguments]
        np.testing.assert_allclose(found, want[k], rtol=1e-9, atol=1e-12)
        if k < steps.EPOCHS - 1:
            schedule.step()


@pytest.mark.parametrize("name", steps.PLATEAUS)
def test_plateaus_are_those_of_pytorch(name):
    optimiser = optimiser_for({"lr": 1.0})
    schedule, want = schedules.ReduceLROnPlateau(optimiser, **steps.PLATEAUS[name]), STORED.parts(name)["rates"]
    for value, rate in zip(steps.measured(), want, strict=True):
        schedule.step(value)
        np.testing.assert_allclose(optimiser.param_groups[0]["lr"], rate, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in steps.SCHEDULES if n != "LambdaLR"])
@pytest.mark.parametrize("done", [0, 1, 13])
def test_a_schedule_is_taken_up_again(name, done):
    arguments, make = steps.SCHEDULES[name]
    optimiser = optimiser_for(arguments)
    schedule = make(schedules, optimiser)
    for _ in range(done):
        schedule.step()
    kept = copy.deepcopy((optimiser.state_dict(), schedule.state_dict()))
    again = optimiser_for(arguments)
    twin = make(schedules, again)
    again.load_state_dict(kept[0])
    twin.load_state_dict(kept[1])
    for _ in range(5):
        schedule.step(), twin.step()
        for part in arguments:
            assert again.param_groups[0][part] == optimiser.param_groups[0][part]


def test_a_plateau_is_taken_up_again():
    values, kept = steps.measured(), None
    arguments = {"patience": 2, "cooldown": 1, "factor": 0.5}
    one, two = optimiser_for({"lr": 1.0}), optimiser_for({"lr": 1.0})
    first, second = (schedules.ReduceLROnPlateau(o, **arguments) for o in (one, two))
    for value in values[:20]:
        first.step(value)
    kept = first.state_dict()
    two.load_state_dict(one.state_dict())
    second.load_state_dict(kept)
    for value in values[20:]:
        first.step(value), second.step(value)
        assert one.param_groups[0]["lr"] == two.param_groups[0]["lr"]


def test_each_group_is_scheduled_from_its_own_rate():
    a, b = leaves()[:2]
    optimiser = tm.optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 1.0}])
    schedule = schedules.StepLR(optimiser, 1, 0.5)
    schedule.step()
    assert schedule.get_last_lr() == [0.05, 0.5]
    assert [group["lr"] for group in optimiser.param_groups] == [0.05, 0.5]


ADDED = {
    "StepLR": lambda o: schedules.StepLR(o, 1, 0.5),
    "ExponentialLR": lambda o: schedules.ExponentialLR(o, 0.5),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, 5),
    "OneCycleLR": lambda o: schedules.OneCycleLR(o, 1.0, total_steps=9),
    "SequentialLR": lambda o: schedules.SequentialLR(
        o, [schedules.StepLR(o, 1, 0.5), schedules.ExponentialLR(o, 0.1)], [2]
    ),
}


@pytest.mark.parametrize("name", ADDED)
def test_a_group_that_is_added_later_keeps_its_own_rate(name):
    def rates(late):
        a, b = leaves()[:2]
        optimiser = tm.optim.SGD([a], lr=0.1, momentum=0.9)
        schedule, found = ADDED[name](optimiser), []
        for k in range(4):
            if k == 1 and late:
                optimiser.add_param_group({"params": [b], "lr": 0.5, "momentum": 0.3})
            schedule.step()
            found.append([(g["lr"], g["momentum"]) for g in optimiser.param_groups])
        state = schedule.state_dict()
        schedule.load_state_dict(state)
        assert schedule.get_last_lr() == [lr for lr, _ in found[-1]]
        return found

    alone, both = rates(False), rates(True)
    assert [row[:1] for row in both] == alone
    assert [row[1:] for row in both] == [[]] + [[(0.5, 0.3)]] * 3


def test_a_plateau_lowers_a_group_that_is_added_later_too():
    a, b = leaves()[:2]
    optimiser = tm.optim.SGD([a], lr=0.1)
    one = schedules.ReduceLROnPlateau(optimiser, factor=0.5, patience=0, min_lr=0.2)
    listed = schedules.ReduceLROnPlateau(optimiser, patience=0, min_lr=[0.01])
    optimiser.add_param_group({"params": [b], "lr": 0.5})
    one.step(1.0), one.step(1.0)
    assert one.get_last_lr() == [0.1, 0.25]  # none below min_lr, none made larger
    with pytest.raises(tm.ArgumentError, match="min_lr"):
        listed.step(1.0)
    assert listed.last_epoch == 0


def test_one_cycle_ends_after_its_steps():
    schedule = schedules.OneCycleLR(optimiser_for({"lr": 0.1}), 1.0, total_steps=3, cycle_momentum=False)
    schedule.step(), schedule.step()
    last = schedule.get_last_lr()
    schedule.step()  # as a loop does after its last batch
    assert schedule.get_last_lr() == last == [pytest.approx(1.0 / 25 / 1e4)]
    with pytest.raises(tm.MathError, match="step 4 of 3"):
        schedule.step()
    assert schedule.get_last_lr() == last


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_a_large_step_that_fails_changes_nothing(dtype, monkeypatch):
    """The parameters let go of their arrays while a program writes into them, and have them back whatever strikes."""
    rng = np.random.default_rng(0)
    ps = [tm.tensor(rng.normal(size=(160, 180)).astype(dtype), requires_grad=True) for _ in range(2)]
    optimiser = tm.optim.Adam(ps)
    for p in ps:
        p.grad = np.ones(p.shape, dtype)
    optimiser.step()
    before = [p.detach().numpy().copy() for p in ps], copy.deepcopy(optimiser.state_dict()["state"])

    def broken(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(next(iter(optimiser._programs.values()))), "__call__", broken)
    with pytest.raises(KeyboardInterrupt):
        optimiser.step()
    monkeypatch.undo()
    for k, p in enumerate(ps):
        np.testing.assert_array_equal(p.detach().numpy(), before[0][k])
        for name, value in optimiser.state_dict()["state"][k].items():
            np.testing.assert_array_equal(value, before[1][k][name])
    optimiser.step()
    assert not np.array_equal(ps[0].detach().numpy(), before[0][0])


def test_values_that_somebody_else_holds_outlive_a_large_step():
    p = tm.tensor(np.zeros((160, 250)), requires_grad=True)
    held, view, kept = p.detach(), p.detach().numpy(), (p * 2.0).sum()
    p.grad = np.ones(p.shape)
    tm.optim.SGD([p], lr=1.0).step()
    assert p.detach().numpy().max() == -1.0
    assert held.numpy().max() == view.max() == kept.item() == 0.0


@pytest.mark.parametrize(
    "name", ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop"]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_parameters_that_step_together_step_bit_for_bit_as_each_alone(name, dtype):
    """Also after one of them had no gradient, or a state of its own, or was turned round."""
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape).astype(dtype) for shape in [(3, 2), (4,), (), (2, 1, 2), (0, 3)]]

    def parameters():
        return [tm.nn.Parameter(a) for a in starts]

    def optimiser(ps):
        return getattr(tm.optim, name)(ps, lr=0.01, **({} if name == "Rprop" else {"weight_decay": 0.1}))

    together, alone = parameters(), parameters()
    one = optimiser(together)
    others = [optimiser([p]) for p in alone]
    for k in range(8):
        gradients = [rng.standard_normal(a.shape).astype(dtype) for a in starts]
        for ps in (together, alone):
            for i, (p, g) in enumerate(zip(ps, gradients, strict=True)):
                p.grad = None if k == 3 and i == 1 else g
        if k == 5:
            for opt, p in ((one, together[0]), (others[0], alone[0])):
                state = opt.state[p]
                for key, v in state.items():
                    state[key] = np.abs(v) * dtype(0.5) if isinstance(v, np.ndarray) else v
        if k == 6:
            for p in (together[0], alone[0]):
                with tm.no_grad():
                    p.data = np.asfortranarray(p.detach().numpy())
        one.step()
        for opt in others:
            opt.step()
        for p, q, opt in zip(together, alone, others, strict=True):
            assert p.dtype == dtype
            assert p.shape == q.shape
            np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
            assert one.state.get(p, {}).keys() == opt.state.get(q, {}).keys()
            for key, v in one.state.get(p, {}).items():
                np.testing.assert_array_equal(v, opt.state[q][key])


def test_what_stepped_together_stays_the_users_own():
    """A state and a value that were looked at keep what they held, and a write to one parameter changes no other."""
    a, b = tm.nn.Parameter([1.0, 2.0]), tm.nn.Parameter([[3.0]])
    opt = tm.optim.Adam([a, b], lr=0.1)
    (a.sum() * b.sum()).backward()
    opt.step()
    seen, moment = a.detach(), opt.state[a]["exp_avg"]
    held = seen.numpy().copy(), moment.copy(), b.detach().numpy().copy()
    with tm.no_grad():
        a[0] = 100.0
    np.testing.assert_array_equal(b.detach().numpy(), held[2])
    opt.step()
    assert a.detach().numpy()[0] > 99
    assert b.detach().numpy() != held[2]
    np.testing.assert_array_equal(seen.numpy(), held[0])
    np.testing.assert_array_equal(moment, held[1])


COMPLEX = {
    "SGD": lambda p: tm.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1),
    "ASGD": lambda p: tm.optim.ASGD(p, lr=0.01, t0=2.0),
    "Rprop": lambda p: tm.optim.Rprop(p, lr=0.01),
    "Adam": lambda p: tm.optim.Adam(p, lr=0.1, amsgrad=True),
    "AdamW": lambda p: tm.optim.AdamW(p, lr=0.1, maximize=True),
    "NAdam": lambda p: tm.optim.NAdam(p, lr=0.1),
    "RAdam": lambda p: tm.optim.RAdam(p, lr=0.1),
    "Adamax": lambda p: tm.optim.Adamax(p, lr=0.1),
    "Adagrad": lambda p: tm.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.3),
    "Adadelta": lambda p: tm.optim.Adadelta(p, lr=0.5),
    "RMSprop": lambda p: tm.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
}


@pytest.mark.parametrize("shape", [(), (3,), (150, 150)])
@pytest.mark.parametrize("name", COMPLEX)
def test_a_complex_parameter_moves_as_its_two_parts_do(name, shape):
    """In a step, by hand and as a program, and in a pure update, compiled or not."""
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(2, *shape))

    def value(re, im):
        return ((re - 2 * im - 3) ** 2 + (im + 2 * re) ** 2 + re**3 / 9).sum()

    pair = [tm.tensor(part, requires_grad=True) for part in parts]
    one = tm.tensor(parts[0] + 1j * parts[1], requires_grad=True)
    opt, opt_pair, pure = COMPLEX[name]([one]), COMPLEX[name](pair), COMPLEX[name](None)

    def update(p, state):
        return pure.update(tm.grad(lambda p: value(tm.real(p), tm.imag(p)))(p), state, p)

    plain = again = one.detach(), pure.init(one.detach())
    compiled = tm.compile(update)
    for _ in range(4):
        for o, parameters in ((opt, (tm.real(one), tm.imag(one))), (opt_pair, pair)):
            o.zero_grad()
            value(*parameters).backward()
            o.step()
        plain, again = update(*plain), compiled(*again)
    want = np.asarray(pair[0].detach()) + 1j * np.asarray(pair[1].detach())
    for found in (one, plain[0], again[0]):
        np.testing.assert_allclose(np.asarray(found.detach()), want, rtol=1e-10, atol=1e-12)


def test_a_real_gradient_of_a_complex_parameter_moves_its_real_part():
    for shape in ((), (2,)):
        w = tm.tensor(np.full(shape, 1 + 1j), requires_grad=True)
        w.grad = np.ones(shape)
        tm.optim.SGD([w], lr=0.25).step()
        assert np.all(np.asarray(w.detach()) == 0.75 + 1j)


@pytest.mark.parametrize("bad", ["a", None, np.ones(2) * 1j, np.ones(3), {"a": 1.0}, np.array(["x", "y"])])
@pytest.mark.parametrize(
    ("make", "part"),
    [
        (tm.optim.Adam, "exp_avg"),
        (lambda ps, lr: tm.optim.SGD(ps, lr=lr, momentum=0.9), "momentum_buffer"),
        (tm.optim.Adagrad, "sum"),
        (tm.optim.RMSprop, "step"),
    ],
    ids=["Adam", "SGD", "Adagrad", "RMSprop"],
)
def test_a_state_whose_parts_are_missing_or_no_numbers_is_refused_as_a_whole(make, part, bad):
    w = tm.tensor([1.0, 2.0], requires_grad=True)

    def stepped(o):
        w.grad = tm.tensor([0.5, -1.0])
        o.step()
        return o

    o = stepped(make([w], lr=0.1))
    before = repr(o.state_dict())
    wrong, lacking = copy.deepcopy(o.state_dict()), copy.deepcopy(o.state_dict())
    wrong["state"][0][part] = bad
    del lacking["state"][0][part]
    for state in (wrong, lacking):
        state["param_groups"][0]["lr"] = 7.0
        with pytest.raises(tm.ArgumentError, match=part):
            o.load_state_dict(state)
        assert repr(o.state_dict()) == before
    good = tm.tree_map(lambda v: v.tolist() if isinstance(v, np.ndarray) else v, o.state_dict())  # as from JSON
    twin = make([w], lr=0.1)
    twin.load_state_dict(good)
    here = w.detach().numpy().copy()
    there = stepped(o) and w.detach().numpy().copy()
    w.data[...] = here
    assert (stepped(twin) and w.detach().numpy()).tolist() == there.tolist()


REFUSED = [  # what neither the constructor takes, nor a further group, nor a state that is loaded
    ("SGD", {"momentum": "0.9"}),
    ("SGD", {"momentum": np.nan}),
    ("SGD", {"dampening": np.nan}),
    ("SGD", {"maximize": "False"}),
    ("SGD", {"nesterov": "yes", "momentum": 0.9}),
    ("SGD", {"nesterov": True, "momentum": 0.0}),
    ("ASGD", {"lambd": -1.0}),
    ("ASGD", {"alpha": "s"}),
    ("ASGD", {"t0": np.nan}),
    ("Rprop", {"etas": (1.5, 1.2)}),
    ("Rprop", {"etas": 0.5}),
    ("Rprop", {"step_sizes": ("a", 2.0)}),
    ("Adam", {"amsgrad": 2}),
    ("Adam", {"betas": [0.9, "s"]}),
    ("AdamW", {"amsgrad": None}),
    ("NAdam", {"momentum_decay": -1.0}),
    ("NAdam", {"decoupled_weight_decay": "False"}),
    ("Adagrad", {"lr_decay": "0"}),
    ("Adagrad", {"initial_accumulator_value": np.nan}),
    ("Adadelta", {"rho": -1.0}),
    ("RMSprop", {"alpha": -1.0}),
    ("RMSprop", {"alpha": "s"}),
    ("RMSprop", {"momentum": -0.5}),
    ("RMSprop", {"centered": np.array([1.0])}),
    ("LBFGS", {"line_search_fn": "strongwolfe"}),
    ("LBFGS", {"max_iter": 2.5}),
    ("LBFGS", {"max_eval": "9"}),
    ("LBFGS", {"history_size": 0}),
    ("LBFGS", {"tolerance_grad": -1.0}),
    ("LBFGS", {"tolerance_change": None}),
    ("NewtonCG", {"max_cg": 0}),
    ("NewtonCG", {"max_halvings": -1}),
    ("NewtonCG", {"forcing": 2.0}),
    ("LevenbergMarquardt", {"damping": np.nan}),
    ("LevenbergMarquardt", {"max_tries": "20"}),
]


@pytest.mark.parametrize(("name", "bad"), REFUSED, ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_a_setting_is_checked_alike_wherever_it_comes_from(name, bad):
    kind, setting = getattr(tm.optim, name), next(iter(bad))
    w, more = (tm.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    o = kind([w])
    before = repr(o.state_dict())
    wrong = o.state_dict()
    wrong["param_groups"][0].update(bad)
    told = rf"^{name}: .*{setting} .*(got|momentum)"
    for asked in (
        lambda: kind([w], **bad),
        lambda: o.add_param_group({"params": more, **bad}),
        lambda: o.load_state_dict(wrong),
    ):
        with pytest.raises(tm.ArgumentError, match=told):
            asked()
        assert repr(o.state_dict()) == before
    o.load_state_dict(copy.deepcopy(o.state_dict()))
    assert repr(o.state_dict()) == before


def test_settings_of_a_file_are_taken_as_the_constructor_takes_them():
    w = tm.tensor([1.0], requires_grad=True)
    o = tm.optim.SGD([w], lr=0.5)
    state = o.state_dict()
    state["param_groups"][0].update(  # as PyTorch writes them, and JSON; with its switches for how a step is computed
        momentum=0, maximize=np.bool_(True), nesterov=0, foreach=None, fused=None, differentiable=False
    )
    o.load_state_dict(state)
    w.grad = tm.tensor([2.0])
    o.step()
    assert w.tolist() == [2.0]
    rprop = tm.optim.Rprop([w])
    state = rprop.state_dict()
    state["param_groups"][0]["etas"] = [0.25, 2]
    rprop.load_state_dict(state)
    assert rprop.param_groups[0]["etas"] == (0.25, 2.0)


@pytest.mark.parametrize(
    ("mode", "values", "worse"),
    [
        ("min", [1.0, -np.inf, 1.0, 1.0], [0, 0, 1, 2]),  # nothing is below -inf
        ("min", [np.inf, np.inf, 3.0, np.inf], [1, 2, 0, 1]),
        ("max", [-np.inf, 1.0, np.inf, 7.0, np.inf], [1, 0, 0, 1, 2]),
        ("min", [np.nan, 2.0, np.nan, 1.0], [1, 0, 1, 0]),
    ],
)
def test_a_plateau_takes_infinite_measures_for_what_they_are(mode, values, worse):
    for threshold in ("rel", "abs"):
        schedule = schedules.ReduceLROnPlateau(optimiser_for({"lr": 1.0}), mode=mode, threshold_mode=threshold)
        for value, bad in zip(values, worse, strict=True):
            schedule.step(value)
            assert schedule.num_bad_epochs == bad


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("level", [100.0, -100.0, 1e-3, -1e-3])
def test_a_plateau_below_zero_is_one(mode, level):
    """Better is a change of more than 1 % of the best one's size, whatever its sign, in the direction of the mode."""
    toward = -abs(level) if mode == "min" else abs(level)
    for change, bad in ((0.0, 1), (0.009, 1), (0.011, 0), (-0.009, 1), (-0.011, 1)):
        schedule = schedules.ReduceLROnPlateau(optimiser_for({"lr": 1.0}), mode=mode, threshold=0.01)
        schedule.step(level)
        schedule.step(level + change * toward)
        assert schedule.num_bad_epochs == bad
        assert schedule.best == (level if bad else level + change * toward)


def test_a_sequence_moves_the_rate_that_it_finds_and_sets_it_at_milestones():
    optimiser = optimiser_for({"lr": 1.0})
    parts = [schedules.ExponentialLR(optimiser, 0.5), schedules.CosineAnnealingLR(optimiser, 4, eta_min=0.2)]
    schedule, found = schedules.SequentialLR(optimiser, parts, [3]), []
    for k in range(6):
        if k in (1, 4):
            optimiser.param_groups[0]["lr"] *= 10  # what anyone may do between steps
        schedule.step()
        found.append(schedule.get_last_lr()[0])
    at = [0.2 + 0.8 * (1 + np.cos(np.pi * k / 4)) / 2 for k in range(4)]
    moved = 0.2 + (10 * at[1] - 0.2) * (at[2] - 0.2) / (at[1] - 0.2)
    last = 0.2 + (moved - 0.2) * (at[3] - 0.2) / (at[2] - 0.2)
    np.testing.assert_allclose(found, [0.5, 2.5, 1.0, at[1], moved, last], rtol=1e-14)


def test_a_sequence_gives_each_group_the_rate_of_its_own_function():
    a, b = leaves()[:2]
    optimiser = tm.optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b], "lr": 2.0}])
    first = schedules.LambdaLR(optimiser, [lambda e: 1 / (1 + e), lambda e: 10.0**e])
    schedule = schedules.SequentialLR(optimiser, [first, schedules.ExponentialLR(optimiser, 0.5)], [2])
    found = [schedule.get_last_lr()]
    for _ in range(3):
        schedule.step()
        found.append(schedule.get_last_lr())
    assert found == [[1.0, 2.0], [0.5, 20.0], [1.0, 2.0], [0.5, 1.0]]


def test_a_sequence_with_a_schedule_of_batches_goes_by_batches():
    net, rng = tm.nn.Linear(2, 1, rng=0), np.random.default_rng(0)
    optimiser = tm.optim.SGD(net, lr=0.1)
    warm = schedules.LinearLR(optimiser, 0.5, total_iters=2)
    cycle = schedules.OneCycleLR(optimiser, 1.0, total_steps=8, cycle_momentum=False)
    schedule = schedules.SequentialLR(optimiser, [warm, cycle], [2])
    data = tm.data.DataLoader(tm.data.TensorDataset(rng.normal(size=(20, 2)), np.zeros((20, 1))), batch_size=4)
    tm.train.fit(net, data, tm.nn.functional.mse_loss, optimiser, epochs=2, scheduler=schedule, progress=False)
    assert schedule.last_epoch == 9  # of ten batches, and there it ends
    assert schedule.get_last_lr() == [pytest.approx(1.0 / 25 / 1e4)]


def test_warm_restarts_take_a_place_between_two_epochs():
    schedule = schedules.CosineAnnealingWarmRestarts(optimiser_for({"lr": 1.0}), T_0=2, T_mult=2)
    for epoch, share in ((0.5, 0.25), (1.75, 0.875), (3, 0.25), (5.0, 0.75), (0, 0.0)):
        schedule.step(epoch)
        assert schedule.get_last_lr() == [pytest.approx((1 + np.cos(np.pi * share)) / 2, rel=1e-14)]
        assert schedule.last_epoch == int(epoch)
    schedule.step()
    assert schedule.get_last_lr() == [pytest.approx(0.5, rel=1e-14)]
    for wrong in (-1.0, np.nan, "2"):
        with pytest.raises(tm.ArgumentError, match=r"epoch is a (real )?number"):
            schedule.step(wrong)
    with pytest.raises(tm.ArgumentError, match="Usage"):
        schedules.ExponentialLR(optimiser_for({"lr": 1.0}), 0.5).step(3)


class Elsewhere:
    """An array of another library: what NumPy reads of it is all that is known."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "Adagrad", "RMSprop", "ASGD"])
def test_a_state_of_another_librarys_arrays_goes_on_as_its_own(name):
    def stepped(optimiser, p, times):
        for k in range(times):
            p.grad = tm.tensor(np.cos(np.arange(3) + k))
            optimiser.step()

    a, b = (tm.tensor(np.arange(3.0), requires_grad=True) for _ in range(2))
    one, two = (getattr(tm.optim, name)([p], lr=0.1) for p in (a, b))
    stepped(one, a, 3)
    b.data = a.detach().numpy()
    state = one.state_dict()
    foreign = {part: Elsewhere(value) for part, value in state["state"][0].items()}
    two.load_state_dict({**state, "state": {0: foreign}})
    stepped(one, a, 2), stepped(two, b, 2)
    assert a.tolist() == b.tolist()


def test_a_momentum_with_dampening_that_had_its_first_step_elsewhere_goes_on():
    p = tm.tensor([1.0], requires_grad=True)
    optimiser = tm.optim.SGD([p], lr=0.5, momentum=0.9, dampening=0.25)
    state = {**optimiser.state_dict(), "state": {0: {"momentum_buffer": np.array([2.0])}}}
    optimiser.load_state_dict(state)
    p.grad = tm.tensor([4.0])
    optimiser.step()
    assert p.tolist() == [pytest.approx(1 - 0.5 * (0.9 * 2 + 0.75 * 4), rel=1e-15)]


def test_parameters_come_with_their_names_too():
    net = tm.nn.Linear(2, 3)
    optimiser = tm.optim.SGD(net.named_parameters(), lr=0.1)
    assert optimiser.params == [net.weight, net.bias]
    groups = tm.optim.SGD([{"params": [("w", net.weight)]}, {"params": [("b", net.bias)], "lr": 1.0}])
    assert [len(group["params"]) for group in groups.param_groups] == [1, 1]
    for wrong in ([("w", 3.0)], [(net.weight, "w")], [("w", net.weight, 1)]):
        with pytest.raises(tm.ArgumentError, match="leaf Tensors that require a gradient"):
            tm.optim.SGD(wrong)
