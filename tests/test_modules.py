"""Modules: state, hooks, containers, what their repr tells, initialisation and utilities."""

import pickle

import numpy as np
import pytest
import scipy.stats

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

init, utils = tm.nn.init, tm.nn.utils


class Net(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.BatchNorm1d(3), tm.nn.Tanh())
        self.heads = tm.nn.ModuleDict({"a": tm.nn.Linear(3, 1, rng=1), "b": tm.nn.Linear(3, 2, rng=2)})
        self.more = tm.nn.ModuleList([tm.nn.Dropout(0.5), tm.nn.Linear(3, 3, rng=3)])
        self.register_buffer("scale", np.array([2.0]))
        self.register_buffer("scratch", np.zeros(1), persistent=False)
        self.nothing = None

    def forward(self, x):
        h = self.more[1](self.more[0](self.body(x)))
        return self.heads["a"](h) * self.scale, self.heads["b"](h)


X = np.random.default_rng(0).normal(size=(5, 2))
LEARNT = ["body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "heads.a.weight", "heads.a.bias"]
LEARNT += ["heads.b.weight", "heads.b.bias", "more.1.weight", "more.1.bias"]
KEPT = ["body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked", "scale"]


def test_parameters_buffers_and_state_have_their_paths():
    net = Net()
    assert sorted(n for n, _ in net.named_parameters()) == sorted(LEARNT)
    assert sorted(n for n, _ in net.named_buffers()) == sorted([*KEPT, "scratch"])
    assert sorted(net.state_dict()) == sorted([*LEARNT, *KEPT])
    assert {n: p.name for n, p in net.named_parameters()} == {n: n for n in LEARNT}


def test_train_and_eval_reach_every_module_and_change_what_is_computed():
    net = Net()
    tm.random.seed(0)
    a, b = net(X)[0], net(X)[0]
    assert not np.array_equal(a.detach().numpy(), b.detach().numpy())
    net.eval()
    assert not any(m.training for m in net.modules())
    np.testing.assert_array_equal(net(X)[0].detach().numpy(), net(X)[0].detach().numpy())
    assert all(m.training for m in net.train().modules())


def test_a_gradient_is_a_network_and_equals_backward():
    net = Net().eval()

    def loss(net):
        return sum((y * y).sum() for y in net(X))

    loss(net).backward()
    gradient = tm.grad(loss)(net)
    assert isinstance(gradient, Net)
    found = dict(gradient.named_parameters())
    for name, p in net.named_parameters():
        np.testing.assert_allclose(found[name].detach().numpy(), p.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_a_state_that_does_not_fit_is_told_in_full_and_changes_nothing():
    net = Net()
    before, state = net.state_dict(), net.state_dict()
    del state["scale"], state["heads.a.bias"]
    state |= {"heads.c.weight": np.ones(2), "body.0.weight": np.ones((4, 2)), "heads.b.bias": np.full(2, 9.0)}
    with pytest.raises(tm.ArgumentError) as told:
        net.load_state_dict(state)
    for part in ("heads.a.bias", "scale", "heads.c.weight", "body.0.weight", "(4, 2)", "(3, 2)"):
        assert part in str(told.value)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    del state["body.0.weight"]
    found = net.load_state_dict(state, strict=False)
    assert (sorted(found.missing_keys), found.unexpected_keys) == (
        ["body.0.weight", "heads.a.bias", "scale"],
        ["heads.c.weight"],
    )
    assert net.heads["b"].bias.tolist() == [9.0, 9.0]


def test_a_state_is_a_copy_in_both_directions():
    net, other = Net(), Net()
    state = net.state_dict()
    other.load_state_dict(state)
    for value in state.values():
        value[...] = 7
    assert not any(np.any(v == 7) for v in (*net.state_dict().values(), *other.state_dict().values()))


def test_hooks_see_and_may_change_results_until_they_are_removed():
    layer, seen = tm.nn.Linear(2, 1, rng=0), []
    want = layer(X).detach().numpy()
    first = layer.register_forward_hook(lambda module, args, y: seen.append((module, args[0].shape, y.shape)))
    second = layer.register_forward_hook(lambda module, args, y: y * 2)
    np.testing.assert_array_equal(layer(X).detach().numpy(), 2 * want)
    assert seen == [(layer, (5, 2), (5, 1))]
    first.remove()
    second.remove()
    np.testing.assert_array_equal(layer(X).detach().numpy(), want)
    assert len(seen) == 1


def test_apply_reaches_children_before_the_whole():
    names = []
    net = Net()
    assert net.apply(lambda m: names.append(type(m).__name__)) is net
    assert names[-1] == "Net"
    assert sorted(names) == sorted(type(m).__name__ for m in net.modules())


def test_a_buffer_has_a_name_of_its_own():
    net = Net()
    for name in ("body", "forward", "a.b", ""):
        with pytest.raises(tm.ArgumentError):
            net.register_buffer(name, np.ones(1))
    net.register_buffer("scale", None)
    assert "scale" not in net.state_dict()


def test_a_repr_tells_every_layer_and_its_number_of_parameters():
    told = repr(Net())
    for part in ("# 39 parameters", "Linear(2, 3)  # 9", "BatchNorm1d(3, ", "(a): Linear(3, 1)  # 4", "Dropout("):
        assert part in told


def test_a_list_of_modules_is_a_list():
    layers = tm.nn.ModuleList(tm.nn.Linear(k + 1, 1) for k in range(3))
    layers.insert(1, tm.nn.Tanh())
    layers.append(tm.nn.ReLU()).extend([tm.nn.Identity()])
    del layers[0]
    layers[-1] = tm.nn.Sigmoid()
    assert [type(m).__name__ for m in layers] == ["Tanh", "Linear", "Linear", "ReLU", "Sigmoid"]
    assert [n for n, _ in layers.named_parameters()] == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert len(layers[1:3]) == 2
    for change in (lambda: layers.append(1), lambda: layers.insert(0, print), lambda: layers.__setitem__(0, None)):
        with pytest.raises(tm.MathError):
            change()
    assert len(layers) == 5


def test_a_dict_of_modules_is_a_dict():
    parts = tm.nn.ModuleDict({"a": tm.nn.Linear(1, 1)})
    parts["b"] = tm.nn.Tanh()
    parts.update({"c": tm.nn.ReLU()})
    assert (list(parts), "b" in parts, len(parts)) == (["a", "b", "c"], True, 3)
    assert isinstance(parts.pop("b"), tm.nn.Tanh)
    assert [k for k, _ in parts.items()] == ["a", "c"]
    for name in ("forward", "x.y", "", 3):
        with pytest.raises(tm.MathError):
            parts[name] = tm.nn.Tanh()
    with pytest.raises(tm.MathError, match="'b'"):
        parts["b"]


# -- initialisation ---------------------------------------------------------------------------------
SHAPE = (60, 40, 3)
FAN_IN, FAN_OUT = 40 * 3, 60 * 3
UNIFORM = {
    "uniform_": (lambda w: init.uniform_(w, -0.5, 1.5, rng=1), -0.5, 1.5),
    "xavier_uniform_": (
        lambda w: init.xavier_uniform_(w, gain=2.0, rng=1),
        -2 * np.sqrt(6 / (FAN_IN + FAN_OUT)),
        2 * np.sqrt(6 / (FAN_IN + FAN_OUT)),
    ),
    "kaiming_uniform_": (lambda w: init.kaiming_uniform_(w, rng=1), -np.sqrt(6 / FAN_IN), np.sqrt(6 / FAN_IN)),
    "kaiming_uniform_ fan_out relu": (
        lambda w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu", rng=1),
        -np.sqrt(6 / FAN_OUT),
        np.sqrt(6 / FAN_OUT),
    ),
    "kaiming_uniform_ a": (
        lambda w: init.kaiming_uniform_(w, a=np.sqrt(5), rng=1),
        -np.sqrt(1 / FAN_IN),
        np.sqrt(1 / FAN_IN),
    ),
}
NORMAL = {
    "normal_": (lambda w: init.normal_(w, 1.0, 3.0, rng=1), 1.0, 3.0),
    "xavier_normal_": (lambda w: init.xavier_normal_(w, gain=3.0, rng=1), 0.0, 3 * np.sqrt(2 / (FAN_IN + FAN_OUT))),
    "kaiming_normal_": (lambda w: init.kaiming_normal_(w, rng=1), 0.0, np.sqrt(2 / FAN_IN)),
    "kaiming_normal_ tanh": (
        lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh", rng=1),
        0.0,
        5 / 3 / np.sqrt(FAN_OUT),
    ),
}


@pytest.mark.parametrize("name", [*UNIFORM, *NORMAL])
def test_starting_weights_have_the_distribution_of_the_formula(name):
    fill, low, high = (UNIFORM | NORMAL)[name]
    w = tm.zeros(SHAPE, dtype=np.float32)
    assert fill(w) is w
    assert w.dtype == np.float32
    wanted = scipy.stats.uniform(low, high - low) if name in UNIFORM else scipy.stats.norm(low, high)
    assert scipy.stats.kstest(np.ravel(w.numpy()).astype(float), wanted.cdf).pvalue > 0.01


def test_truncated_normals_stay_between_their_bounds():
    w = init.trunc_normal_(tm.zeros((100, 80)), 0.5, 2.0, -1.0, 3.0, rng=1).numpy()
    assert -1 <= w.min() < w.max() <= 3
    assert scipy.stats.kstest(w.ravel(), scipy.stats.truncnorm(-0.75, 1.25, 0.5, 2.0).cdf).pvalue > 0.01


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (3, 2, 2), (5, 5)])
def test_orthogonal_weights_are_gain_times_orthonormal(shape):
    w = init.orthogonal_(tm.zeros(shape), gain=1.5, rng=1).numpy().reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 2.25 * np.eye(len(small)), atol=1e-12)


def test_fixed_starts_are_what_their_names_say():
    assert init.constant_(tm.zeros(2), 3.0).tolist() == [3.0, 3.0]
    assert init.ones_(tm.zeros(1)).tolist() == [1.0]
    assert init.zeros_(tm.ones(1)).tolist() == [0.0]
    np.testing.assert_array_equal(init.eye_(tm.ones((2, 3))).numpy(), np.eye(2, 3))
    x = np.random.default_rng(0).normal(size=(1, 4, 6))
    w = init.dirac_(tm.zeros((4, 2, 3)), groups=2)
    np.testing.assert_array_equal(F.conv1d(x, w, padding=1, groups=2).numpy(), x)
    sparse = init.sparse_(tm.zeros((10, 6)), 0.25, std=2.0, rng=0).numpy()
    assert ((sparse == 0).sum(0) == 3).all()


@pytest.mark.parametrize(
    "name, gain", [("linear", 1), ("sigmoid", 1), ("tanh", 5 / 3), ("relu", np.sqrt(2)), ("selu", 0.75), ("conv2d", 1)]
)
def test_gains_are_those_of_the_papers(name, gain):
    assert init.calculate_gain(name) == pytest.approx(gain)
    assert init.calculate_gain("leaky_relu", 0.5) == pytest.approx(np.sqrt(2 / 1.25))


# -- utilities --------------------------------------------------------------------------------------
def with_gradients(seed=0):
    rng = np.random.default_rng(seed)
    ps = [tm.tensor(rng.normal(size=s), requires_grad=True) for s in ((3, 2), (4,), ())]
    for p in ps:
        p.grad = rng.normal(size=p.shape)
    return ps


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("bound", [0.5, 100.0])
def test_clipping_by_norm_scales_all_gradients_alike(order, bound):
    ps = with_gradients()
    before = np.concatenate([np.ravel(p.grad.numpy()) for p in ps])
    size = np.linalg.norm(before, order)
    assert utils.clip_grad_norm_(ps, bound, order).item() == pytest.approx(size, rel=1e-12)
    after = np.concatenate([np.ravel(p.grad.numpy()) for p in ps])
    np.testing.assert_allclose(after, before * min(1.0, bound / (size + 1e-6)), rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, np.array])
def test_a_bound_of_few_digits_clips_as_the_same_number_does(kind):
    bound = kind(0.5 if kind is not np.int8 else 1)
    for clip in (utils.clip_grad_norm_, utils.clip_grad_value_):
        ps, others = with_gradients(), with_gradients()
        clip(ps, bound)
        clip(others, float(bound))
        assert [p.grad.tolist() for p in ps] == [p.grad.tolist() for p in others]


@pytest.mark.parametrize("order", [2.0, 3.0])
@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float16, 300), (np.float16, 6e4), (np.float32, 3e19), (np.float32, 3e-30), (float, 1e160)]
)
def test_gradients_whose_squares_leave_the_range_of_their_dtype_are_clipped_to_the_bound(dtype, size, order):
    p = tm.tensor(np.ones(4, dtype), requires_grad=True)
    p.grad = np.array([size, -size, size, size], dtype)
    length = 4 ** (1 / order) * float(dtype(size))
    assert utils.clip_grad_norm_([p], 1.0, order).item() == pytest.approx(length, rel=1e-6)
    after = p.grad.numpy()
    assert after.dtype == dtype
    want = np.array([1, -1, 1, 1]) * float(dtype(size)) * min(1.0, 1 / (length + 1e-6))
    np.testing.assert_allclose(after.astype(float), want, rtol=1e-3)


def test_clipping_by_value_bounds_each_element():
    ps = with_gradients()
    want = [np.clip(p.grad.numpy(), -0.3, 0.3) for p in ps]
    utils.clip_grad_value_(ps, 0.3)
    for p, w in zip(ps, want, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), w)


def test_a_norm_that_is_no_number_is_refused_when_asked():
    ps = with_gradients()
    ps[1].grad = np.full(4, np.nan)
    with pytest.raises(FloatingPointError, match="nan"):
        utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)


def test_parameters_go_into_a_vector_and_back():
    net, other = Net(), Net()
    vector = utils.parameters_to_vector(net)
    assert vector.shape == (39,)
    utils.vector_to_parameters(vector * 2, other)
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(2 * a.detach().numpy(), b.detach().numpy())
    with pytest.raises(tm.ShapeError, match="39"):
        utils.vector_to_parameters(np.ones(38), other)
    for over in (tm.grad, tm.hessian, tm.vmap, tm.compile):
        with pytest.raises((tm.NeedsDetach, tm.TraceError), match="with_tensors"):
            over(lambda v: utils.vector_to_parameters(v[..., :39] * 2, other))(
                np.ones((1, 39)) if over is tm.vmap else np.ones(39)
            )
    vector, tree = tm.ravel_tree(dict(net.named_parameters()))
    g = tm.grad(lambda v: net.with_tensors(tree(v))(np.ones((2, 2)))[0].sum())(vector)
    assert g.any()
    tm.testing.check_grads(lambda p: (utils.parameters_to_vector(p) ** 3).sum(), ([np.ones(2), np.ones((1, 2))],))


def test_a_module_in_two_places_is_met_once():
    shared = tm.nn.Linear(2, 2)
    net = tm.nn.Sequential(shared, tm.nn.Sequential(shared, tm.nn.Tanh()))
    assert [name for name, _ in net.named_modules()] == ["", "0", "1", "1.1"]
    assert len(list(net.modules())) == 4
    assert [name for name, _ in net.named_modules(remove_duplicate=False)] == ["", "0", "1", "1.0", "1.1"]
    met = []
    net.apply(met.append)
    assert met == [shared, net[1][1], net[1], net]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]  # under each path, as PyTorch


def test_a_module_that_contains_itself_is_walked_once_or_refused_by_name():
    outer, inner = tm.nn.Sequential(tm.nn.Linear(2, 2)), tm.nn.Sequential(tm.nn.Tanh())
    outer.below, inner.above = inner, outer
    assert len(list(outer.modules())) == 4
    assert len(list(outer.parameters())) == 2
    assert "the Sequential that contains this" in repr(outer)
    met = []
    outer.train().apply(met.append)
    assert len(met) == 4
    for use in (outer.state_dict, lambda: tm.grad(lambda net: net([1.0, 2.0]).sum())(outer)):
        with pytest.raises(tm.ArgumentError, match="contains itself"):
            use()
    holder = Net()
    holder.listed = []
    holder.listed.append(holder.listed)
    with pytest.raises(tm.ArgumentError, match="contains itself"):
        list(holder.modules())


@pytest.mark.parametrize("transform", [tm.vmap, tm.compile, lambda f: tm.compile(tm.vmap(f))])
def test_a_module_takes_constants_for_its_parameters_inside_of_a_trace(transform):
    layer = tm.nn.Linear(2, 1, rng=0)
    x = np.arange(6.0).reshape(3, 2)
    for put in (lambda p: np.ones(p.shape), lambda p: tm.ones(p.shape)):
        y = transform(lambda x: tm.tree_map(put, layer)(x))(x)
        np.testing.assert_array_equal(y.detach().numpy(), x.sum(1, keepdims=True) + 1)


# -- parts by their paths, and what else PyTorch's modules have -------------------------------------------------------
class Branched(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = [tm.nn.Linear(2, 2, rng=0), tm.nn.Sequential(tm.nn.Linear(2, 1, rng=1), tm.nn.BatchNorm1d(1))]
        self.by_name = {"last": tm.nn.Linear(1, 1, rng=2)}
        self.own = tm.nn.Parameter([1.0])

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return self.by_name["last"](x) * self.own


def test_parts_are_found_by_the_paths_that_walks_show():
    net = Branched()
    for path, module in net.named_modules():
        assert net.get_submodule(path) is module
    for path, p in net.named_parameters():
        assert net.get_parameter(path) is p
    for path, b in net.named_buffers():
        assert net.get_buffer(path) is b
    for find, path in (
        (net.get_submodule, "parts.2"), (net.get_submodule, "own"), (net.get_submodule, "parts.0.weight.x"),
        (net.get_parameter, "parts.1.1.running_mean"), (net.get_buffer, "parts.1.1.weight"),
    ):  # fmt: skip
        with pytest.raises(tm.ArgumentError, match=f"{path}.*there are: "):
            find(path)


def test_a_part_is_replaced_at_its_path():
    net = Branched()
    for path, module in (("parts.1.0", tm.nn.Linear(2, 1)), ("parts.0", tm.nn.Tanh()), ("by_name.last", tm.nn.ReLU())):
        net.set_submodule(path, module)
        assert net.get_submodule(path) is module
    assert net(X).shape == (5, 1)
    with pytest.raises(tm.ArgumentError, match=r"no module at 'parts\.7'"):
        net.set_submodule("parts.7", tm.nn.Tanh())
    with pytest.raises(tm.ArgumentError):
        net.set_submodule("parts.0", np.tanh)
    net.add_module("more", tm.nn.Linear(1, 1))
    net.add_module("nothing", None)
    assert "more.weight" in net.state_dict()
    assert net.nothing is None
    for name, module in (("forward", tm.nn.Tanh()), ("a.b", tm.nn.Tanh()), ("fine", np.ones(2))):
        with pytest.raises(tm.ArgumentError, match="add_module"):
            net.add_module(name, module)


def test_walks_over_parameters_stop_at_the_module_and_begin_with_a_prefix():
    net = Branched()
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["own"]
    assert list(net.buffers(recurse=False)) == []
    assert len(list(net.parameters(recurse=False))) == 1
    assert [n for n, _ in net.named_parameters("net")] == [f"net.{n}" for n, _ in net.named_parameters()]
    tied = tm.nn.Sequential(tm.nn.Linear(2, 2), tm.nn.Tanh())
    tied.append(tied[0])
    assert len(list(tied.named_parameters())) == 2
    assert [n for n, _ in tied.named_parameters(remove_duplicate=False)] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_gradients_are_made_zero_on_request():
    layer = tm.nn.Linear(2, 1)
    layer(X).sum().backward()
    layer.bias.grad = None
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0.0, 0.0]]
    assert layer.bias.grad is None
    layer.zero_grad()
    assert layer.weight.grad is None


def test_a_sequence_of_named_layers_keeps_their_names():
    net = tm.nn.Sequential({"fc": tm.nn.Linear(2, 3, rng=0), "act": tm.nn.Tanh()})
    plain = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh())
    np.testing.assert_array_equal(net(X).detach().numpy(), plain(X).detach().numpy())
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]
    assert net.act is net[1]
    assert len(net) == 2
    assert list(net[:1].state_dict()) == ["fc.weight", "fc.bias"]
    gradient = tm.grad(lambda net: net(X).sum())
    eager, compiled = (g(net).fc.weight.detach().numpy() for g in (gradient, tm.compile(gradient)))
    np.testing.assert_allclose(eager, compiled, rtol=1e-12)
    net.append(tm.nn.ReLU())
    assert [n for n, _ in net.named_children()] == ["fc", "act", "2"]
    for names in ({"forward": tm.nn.Tanh()}, {"a.b": tm.nn.Tanh()}, {"": tm.nn.Tanh()}):
        with pytest.raises(tm.ArgumentError, match="no name for a layer"):
            tm.nn.Sequential(names)


@pytest.mark.parametrize("named", [False, True])
def test_a_sequence_is_edited_as_a_list_is(named):
    layers = [tm.nn.Linear(2, 2, rng=k) for k in range(4)]
    net = tm.nn.Sequential({f"l{k}": layer for k, layer in enumerate(layers)}) if named else tm.nn.Sequential(*layers)
    model, act = list(layers), tm.nn.Tanh()
    net[1] = model[1] = act
    assert list(net) == model
    net.insert(1, act)
    model.insert(1, act)
    assert list(net) == model
    assert net.pop(0) is model.pop(0)
    assert list(net) == model
    del net[1:3], model[1:3]
    assert list(net) == model
    assert list(net + net) == model + model
    net += tm.nn.Sequential(act)
    assert list(net) == [*model, act]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == ["", "0", "1", "2"]
    with pytest.raises(tm.ArgumentError, match="number 0"):
        net.insert(0, 3.0)
    with pytest.raises(tm.ArgumentError, match="the class Tanh"):
        net.extend([act, tm.nn.Tanh])
    assert list(net) == [*model, act]
    listed = tm.nn.ModuleList(layers)
    assert listed.pop() is layers[-1]
    assert len(listed + layers) == 7
    parts = tm.nn.ModuleDict({"a": act})
    assert parts.get("b") is None
    assert parts.get("a") is act
    parts.clear()
    assert len(parts) == 0
    assert not list(parts.children())


THEIRS = {
    "size_average": lambda v: F.mse_loss(X, X, size_average=v),
    "reduce": lambda v: tm.nn.CrossEntropyLoss(reduce=v),
    "return_indices": lambda v: tm.nn.MaxPool1d(2, return_indices=v),
    "max_norm": lambda v: tm.nn.Embedding(3, 2, max_norm=v),
    "add_bias_kv": lambda v: tm.nn.MultiheadAttention(4, 2, add_bias_kv=v),
    "proj_size": lambda v: tm.nn.LSTM(2, 3, proj_size=v),
    "device": lambda v: tm.nn.Linear(2, 3, device=v),
}
USUAL = {"return_indices": False, "add_bias_kv": False, "proj_size": 0, "device": "cpu"}
OTHER = {"max_norm": 1.0, "proj_size": 2, "device": "cuda"}


@pytest.mark.parametrize("name", THEIRS)
def test_an_argument_of_pytorchs_that_changes_nothing_is_taken_and_another_one_named(name):
    THEIRS[name](USUAL.get(name))
    with pytest.raises(tm.ArgumentError, match=rf"there is no {name} here, got .*; \w+"):
        THEIRS[name](OTHER.get(name, True))


def test_norms_without_a_bias_keep_their_weight():
    for norm in (tm.nn.BatchNorm1d(2, bias=False), tm.nn.GroupNorm(1, 2, bias=False)):
        assert [n for n, _ in norm.named_parameters()] == ["weight"]
        assert norm(X).shape == X.shape
    assert tm.nn.InstanceNorm1d(2, affine=True, bias=False).bias is None
    assert not tm.nn.Parameter([1.0], False).requires_grad


# -- hooks ------------------------------------------------------------------------------------------------------------
def test_a_hook_before_forward_changes_the_arguments_until_it_is_removed():
    layer, seen = tm.nn.Linear(2, 1, rng=0), []
    handle = layer.register_forward_pre_hook(lambda module, args: (seen.append(module), args[0] * 2)[1])
    doubled = layer(X).detach().numpy()
    handle.remove()
    np.testing.assert_allclose(doubled, layer(2 * X).detach().numpy())
    assert seen == [layer]
    with pytest.raises(tm.ArgumentError, match=r"takes a function|is a function"):
        layer.register_forward_pre_hook(3)


@pytest.mark.parametrize("transformed", [False, True])
def test_a_hook_sees_the_gradients_on_both_sides_of_a_module(transformed):
    net, seen = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1)), []
    for layer in net:
        layer.register_full_backward_hook(lambda module, *sides: seen.append((module, sides)))
    if transformed:
        tm.grad(lambda net: net(X).sum())(net)
    else:
        net(X).sum().backward()
    assert [type(module) for module, _ in seen] == [tm.nn.Linear, tm.nn.Tanh, tm.nn.Linear]
    (last_in, last_out), (tanh_in, tanh_out), (first_in, first_out) = (sides for _, sides in seen)
    w = net[2].weight.detach().numpy()
    h = np.tanh(net[0](X).detach().numpy())
    np.testing.assert_allclose(last_out[0].detach().numpy(), np.ones((5, 1)))
    np.testing.assert_allclose(last_in[0].detach().numpy(), np.ones((5, 1)) @ w)
    np.testing.assert_allclose(tanh_out[0].detach().numpy(), np.ones((5, 1)) @ w)
    np.testing.assert_allclose(tanh_in[0].detach().numpy(), (1 - h * h) * (np.ones((5, 1)) @ w))
    np.testing.assert_allclose(first_out[0].detach().numpy(), tanh_in[0].detach().numpy())
    assert first_in == (None,)  # the data have no gradient


def test_a_backward_hook_changes_what_goes_on():
    x = tm.tensor(X, requires_grad=True)
    layer = tm.nn.Tanh()
    handle = layer.register_full_backward_hook(lambda module, into, out: (into[0] * 10,))
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 10 * (1 - np.tanh(X) ** 2))
    handle.remove()
    x.grad = None
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - np.tanh(X) ** 2)
    layer.register_full_backward_hook(lambda module, into, out: (1.0, 2.0))
    with pytest.raises(tm.ArgumentError, match="gradients of 1 inputs"):
        layer(x).sum().backward()


def test_a_backward_hook_of_several_inputs_and_outputs():
    class Mixed(tm.nn.Module):
        def forward(self, x, k, y):
            return x * y, x + y, k

    seen, module = [], Mixed()
    module.register_full_backward_hook(lambda module, into, out: seen.append((into, out)))
    x, y = tm.tensor([2.0], requires_grad=True), tm.tensor([3.0], requires_grad=True)
    product, _, _ = module(x, 7, y)
    (5 * product).sum().backward()
    (((gx, gk, gy), out),) = seen
    assert (gx.item(), gk, gy.item(), out[0].item(), out[1:]) == (15.0, None, 10.0, 5.0, (None, None))
    with tm.no_grad():
        assert module(x, 7, y)[0].item() == 6.0


@pytest.mark.parametrize(
    "make",
    [
        lambda **start: tm.nn.Linear(3, 2, **start),
        lambda **start: tm.nn.Bilinear(3, 2, 4, **start),
        lambda **start: tm.nn.Conv2d(2, 4, 3, groups=2, dtype=np.float32, **start),
        lambda **start: tm.nn.ConvTranspose1d(2, 4, 3, **start),
        lambda **start: tm.nn.Embedding(5, 3, padding_idx=1, **start),
        lambda **start: tm.nn.LSTM(2, 3, num_layers=2, bidirectional=True, **start),
        lambda **start: tm.nn.GRUCell(2, 3, bias=False, **start),
    ],
)
def test_a_layer_is_drawn_anew_as_at_its_start(make):
    layer, fresh = make(rng=0), make(rng=7)
    layer.reset_parameters(rng=7)
    for (name, p), q in zip(layer.named_parameters(), fresh.parameters(), strict=True):
        assert p.dtype == q.dtype
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy(), err_msg=name)


def test_a_norm_forgets_what_it_has_learnt_and_measured():
    for norm in (tm.nn.BatchNorm1d(2), tm.nn.LayerNorm(2), tm.nn.RMSNorm(2), tm.nn.GroupNorm(1, 2)):
        start = norm.state_dict()
        norm(X)
        for p in norm.parameters():
            tm.nn.init.normal_(p)
        norm.reset_parameters()
        assert start.keys() == norm.state_dict().keys()
        for name, value in norm.state_dict().items():
            np.testing.assert_array_equal(value, start[name], err_msg=name)


def doubled(module, args, y):
    return y * 2


def test_hooks_of_a_module_that_an_older_version_pickled_are_called():
    layer = tm.nn.Linear(2, 2)
    layer.register_forward_hook(doubled)
    x = np.ones(2)
    before = layer(x).detach()
    del layer.__dict__["_hooked"]  # which that version did not keep
    assert np.array_equal(pickle.loads(pickle.dumps(layer))(x).detach(), before)


def test_children_are_each_named_once_and_shown_at_each_of_their_places():
    act = tm.nn.Tanh()
    net = tm.nn.Sequential(tm.nn.Linear(2, 2), act, tm.nn.Linear(2, 2), act)
    assert [n for n, _ in net.named_children()] == ["0", "1", "2"]
    assert [*net.children()] == [net[0], act, net[2]]
    assert "(3): Tanh()" in repr(net)
    assert list(tm.nn.ModuleList([act, act, act]).children()) == [act]


@pytest.mark.parametrize(
    "part", [slice(1, None), slice(None, 2), slice(None, None, 2), slice(3, 1, -1), slice(9, None)]
)
def test_a_slice_of_a_sequence_has_the_names_of_the_whole(part):
    net = tm.nn.Sequential(*(tm.nn.Linear(2, 2, rng=k) for k in range(4)))
    places = range(4)[part]
    assert list(net[part].state_dict()) == [f"{k}.{name}" for k in places for name in ("weight", "bias")]
    x = X
    for k in places:
        x = net[k](x)
    np.testing.assert_array_equal(tm.stop_gradient(net[part](X)), x.detach() if places else X)
    assert all(a is b for a, b in zip(net[part], (net[k] for k in places), strict=True))


def test_what_is_joined_to_a_slice_takes_a_name_that_is_free():
    net = tm.nn.Sequential(*(tm.nn.Linear(2, 2, rng=k) for k in range(3)))
    part, more = net[1:], tm.nn.Linear(2, 2, rng=5)
    layers = [net[1], net[2], more]
    assert list(part.append(more)) == layers
    assert len(list(part.parameters())) == 6
    assert list(net[1:] + tm.nn.Sequential(more)) == layers
    assert [n for n, _ in net[:].append(more).named_children()] == ["0", "1", "2", "3"]
