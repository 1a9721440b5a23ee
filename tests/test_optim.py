"""Optimisers: the state they keep, the dtypes they keep, and what a loop leaves behind."""

import gc
import tracemalloc

import numpy as np
import pytest

import tinygrad_math as tm


class Affine(tm.nn.Module):
    def __init__(self):
        self.weight, self.bias = tm.nn.Parameter([[0.5, -1.0]]), tm.nn.Parameter([0.25])

    def forward(self, x):
        return tm.tanh(x @ self.weight.T + self.bias)


X, Y = np.array([[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]]), np.array([[1.0], [0.0], [-1.0]])


def loss(net):
    return ((net(X) - Y) ** 2).mean()


@pytest.mark.parametrize("lr", [0.1, np.float64(0.1)])
@pytest.mark.parametrize("momentum", [0.0, np.float64(0.5)])
@pytest.mark.parametrize("gradient", [np.float32, np.float64])
def test_parameters_and_state_keep_their_dtype(lr, momentum, gradient):
    w = tm.tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    opt = tm.optim.SGD([w], lr=lr, momentum=momentum, weight_decay=np.float64(0.01))
    want = np.array([1.0, 2.0])
    for _ in range(2):
        w.grad = np.array([1.0, -1.0], gradient)
        opt.step()
    state = opt.init({"w": w.detach()})
    new, after = opt.update({"w": np.array([1.0, -1.0], gradient)}, state, {"w": w.detach()})
    assert w.dtype == new["w"].dtype == np.float32
    assert all(v.dtype == np.float32 for s in [*opt.state.values(), *after] for v in s.values())
    v = np.zeros(2)
    for _ in range(2):
        g = np.array([1.0, -1.0]) + 0.01 * want
        v = momentum * v + g
        want = want - 0.1 * v
    np.testing.assert_allclose(w.detach().numpy(), want, rtol=1e-6)


def test_a_gradient_that_does_not_belong_to_its_parameter_changes_nothing():
    a, b = tm.tensor([1.0], requires_grad=True), tm.tensor([1.0, 2.0], requires_grad=True)
    opt = tm.optim.SGD([a, b], lr=0.1, momentum=0.5)
    a.grad = np.ones(1)
    b._grad = tm.tensor([1j, 2.0])  # past the check of `.grad`
    with pytest.raises(tm.DTypeError, match="imaginary"):
        opt.step()
    assert (a.tolist(), b.tolist(), opt.state) == ([1.0], [1.0, 2.0], {})
    params = {"w": np.array([1.0, 2.0])}
    for g, error in [(np.array([1j, 2.0]), tm.DTypeError), (np.ones((2, 1)), tm.ShapeError), (1.0, tm.ShapeError)]:
        with pytest.raises(error, match="gradient"):
            opt.update({"w": g}, opt.init(params), params)
    with pytest.raises(tm.ArgumentError, match="init"):
        opt.update(params, [], params)


def test_gradients_have_the_dtype_of_what_they_belong_to():
    for dtype in (np.float32, np.float64):
        x = tm.tensor([1.0, 2.0], requires_grad=True, dtype=dtype)
        x.grad = np.array([1, 2])
        assert x.grad.dtype == dtype
        with pytest.raises(tm.DTypeError, match="imaginary"):
            x.grad = np.array([1j, 2.0])
        assert x.grad.tolist() == [1.0, 2.0]
        x.grad = None
        x.register_hook(lambda g: 2.0 * g.detach().numpy().astype(np.float64))
        (x * x).sum().backward()
        assert (x.grad.dtype, x.grad.tolist()) == (dtype, [4.0, 8.0])
        x.register_hook(lambda g: g * 1j)
        with pytest.raises(tm.DTypeError, match="hook"):
            (x * x).sum().backward()
    z = tm.tensor([1j, 2.0], requires_grad=True)
    z.grad = np.array([1.0, 2.0])
    assert z.grad.dtype == np.complex128


def test_a_parameter_that_is_given_twice_steps_once():
    w, other = tm.tensor([1.0], requires_grad=True), tm.tensor([5.0], requires_grad=True)
    opt = tm.optim.SGD([w, other, w], lr=0.1)
    (w * w).sum().backward()
    opt.step()
    assert w.tolist() == [0.8]
    tied = Affine()
    tied.again = tied.weight
    assert len(tm.optim.SGD([*tied.parameters(), tied.again]).params) == 2


def test_load_state_dict_changes_everything_or_nothing():
    net = Affine()
    before = net.state_dict()
    bad = {
        "text": (np.array(["x"]), tm.DTypeError),
        "complex": (np.array([1j]), tm.DTypeError),
        "object": (np.array([None]), tm.DTypeError),
        "nothing": (None, tm.DTypeError),
        "masked": (np.ma.array([1.0], mask=True), tm.DTypeError),
        "ragged": ([[1.0], [1.0, 2.0]], tm.DTypeError),
        "shape": (np.ones((1, 1)), tm.ShapeError),
    }
    for value, error in bad.values():
        with pytest.raises(error, match="bias"):
            net.load_state_dict({"weight": np.ones((1, 2)), "bias": value})
        assert all(np.array_equal(before[k], v) for k, v in net.state_dict().items())
    with pytest.raises(tm.ArgumentError, match="bias"):
        net.load_state_dict({"weight": np.ones((1, 2))})

    def loaded(w):
        net.load_state_dict({"weight": w.reshape(1, 2), "bias": np.zeros(1)})
        return net(X).sum()

    with pytest.raises(tm.NeedsDetach, match="load_state_dict"):
        tm.grad(loaded)(np.ones(2))
    assert all(np.array_equal(before[k], v) for k, v in net.state_dict().items())
    given = np.full(1, 7, np.float32)
    net.load_state_dict({"weight": tm.tensor([[1.0, 2.0]], requires_grad=True), "bias": given})
    given[0] = 0.0
    assert (net.weight.tolist(), net.bias.tolist(), net.bias.dtype) == ([[1.0, 2.0]], [7.0], np.float64)


# -- the pure loop --------------------------------------------------------------------------------------------------


def pure_step(opt):
    return lambda net, state: opt.update(tm.grad(loss)(net), state, net)


def compiled_step(opt):
    return tm.compile(pure_step(opt))


def compiled_gradient(opt):
    gradient = tm.compile(tm.grad(loss))
    return lambda net, state: opt.update(gradient(net), state, net)


def step_with_backward(opt):
    def step(net, state):
        loss(net).backward()
        return opt.update(tm.tree_map(lambda p: p.grad, net), state, net)

    return step


def mapped_step(opt):
    def step(net, state):
        return tm.tree_map(lambda p, g: p - 0.1 * g, net, tm.grad(loss)(net)), state

    return step


@pytest.mark.parametrize("make", [pure_step, compiled_step, compiled_gradient, step_with_backward, mapped_step])
def test_a_pure_loop_keeps_no_history_and_loses_no_network(make):
    opt = tm.optim.SGD(lr=0.1, momentum=0.0 if make is mapped_step else 0.5)
    step, net = make(opt), Affine()
    new, state = net, opt.init(net)

    def run(n):
        nonlocal new, state
        for _ in range(n):
            new, state = step(new, state)

    run(20)
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    run(1)
    first = tracemalloc.get_traced_memory()[0]
    run(60)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert len(gc.get_objects()) - objects < 60  # one object a step would be kept
    assert grown < 20_000
    assert all(p.is_leaf and p.requires_grad and type(p) is tm.nn.Parameter for p in new.parameters())
    assert [p.name for p in new.parameters()] == ["weight", "bias"]
    twin = Affine()
    torch_like = tm.optim.SGD(twin, lr=0.1, momentum=opt.defaults["momentum"])
    for _ in range(81):
        torch_like.zero_grad()
        loss(twin).backward()
        torch_like.step()
    for p, q in zip(new.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10)


def test_tensors_come_back_as_leaves_with_their_names():
    params = {"w": tm.tensor([1.0, 2.0], requires_grad=True, name="w"), "c": tm.tensor([3.0])}
    opt = tm.optim.SGD(lr=0.5, momentum=0.5)
    gradient = tm.grad(lambda p: (p["w"] ** 2 * p["c"]).sum())(params)
    new, state = opt.update(gradient, opt.init(params), params)
    assert (new["w"].is_leaf, new["w"].requires_grad, new["w"].name) == (True, True, "w")
    assert not new["c"].requires_grad
    assert not any(v.requires_grad for s in state for v in s.values())
    assert new["w"].tolist() == [-2.0, -4.0]


def test_a_parameter_that_is_held_fixed_stays_so_eagerly_and_compiled():
    net, opt = Affine(), tm.optim.SGD(lr=0.1, weight_decay=0.1)
    net.bias.requires_grad_(False)
    for step in (pure_step(opt), compiled_step(opt)):
        new, _ = step(net, opt.init(net))
        assert new.bias.tolist() == net.bias.tolist()
        assert new.weight.tolist() != net.weight.tolist()
        assert [p.requires_grad for p in new.parameters()] == [True, False]


def test_of_a_module_only_parameters_move():
    class Scaled(Affine):
        def __init__(self):
            super().__init__()
            self.scale = tm.tensor([1.0, 2.0])

        def forward(self, x):
            return super().forward(x * self.scale)

    net, opt = Scaled(), tm.optim.SGD(lr=0.1)
    gradient = tm.grad(loss)(net)
    assert np.all(gradient.scale.detach().numpy() != 0)
    for step in (pure_step(opt), compiled_step(opt)):
        new, _ = step(net, opt.init(net))
        assert new.scale.tolist() == [1.0, 2.0]
        assert new.weight.tolist() != net.weight.tolist()
    plain, _ = opt.update({"s": gradient.scale}, [{}], {"s": net.scale})
    assert plain["s"].tolist() != [1.0, 2.0]


# -- derivatives through an update ------------------------------------------------------------------------------------


def after_two_steps(w):
    """The loss after two steps of gradient descent on sum(w^4), in NumPy."""
    for _ in range(2):
        w = w - 0.1 * 4 * w**3
    return np.sum(w**4)


W = np.array([0.5, -0.8])


def meta_gradient(h=1e-6):
    return np.array([(after_two_steps(W + e) - after_two_steps(W - e)) / (2 * h) for e in h * np.eye(2)])


def quartic(p):
    return (p["w"] ** 4).sum()


@pytest.mark.parametrize("wrap", [lambda f: f, tm.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("leaf", [False, True])
def test_a_transform_differentiates_through_updates(wrap, leaf):
    opt = tm.optim.SGD(lr=0.1)
    step = wrap(lambda p, s: opt.update(tm.grad(quartic)(p), s, p))

    def meta(w):
        p, s = {"w": w}, opt.init({"w": w})
        for _ in range(2):
            p, s = step(p, s)
        return quartic(p)

    w = tm.tensor(W, requires_grad=leaf)
    for f in (meta, wrap(meta)):
        np.testing.assert_allclose(tm.grad(f)(w).detach().numpy(), meta_gradient(), rtol=1e-7)
        np.testing.assert_allclose(tm.jvp(f, (w,), (W,))[1].detach().numpy(), W @ meta_gradient(), rtol=1e-7)


@pytest.mark.parametrize("wrap", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_a_transform_differentiates_through_updates_of_a_module(wrap):
    class Net(tm.nn.Module):
        def __init__(self):
            self.w = tm.nn.Parameter(W)

    opt = tm.optim.SGD(lr=0.1)
    step = wrap(lambda n, s: opt.update(tm.grad(lambda n: (n.w**4).sum())(n), s, n))

    def meta(n):
        s = opt.init(n)
        for _ in range(2):
            n, s = step(n, s)
        return (n.w**4).sum()

    np.testing.assert_allclose(tm.grad(meta)(Net()).w.detach().numpy(), meta_gradient(), rtol=1e-7)


def after_one_step(lr, momentum):
    """The quartic after a step with velocity 1."""
    v = momentum * np.ones(2) + 4 * W**3
    return np.sum((W - lr * v) ** 4)


@pytest.mark.parametrize("leaf", [False, True], ids=["arrays", "leaves"])
@pytest.mark.parametrize("wrap", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_the_numbers_of_a_rule_are_differentiated_in_both_idioms(leaf, wrap):
    params = {"w": tm.tensor(W, requires_grad=leaf)}

    def meta(lr, momentum):
        opt = tm.optim.SGD(momentum=0.5)
        state = [{name: np.ones(2) for name in opt.init(params)[0]}]
        return quartic(opt.update(tm.grad(quartic)(params), state, params, lr=lr, momentum=momentum)[0])

    h = 1e-6
    want = [
        (after_one_step(0.1 + h, 0.5) - after_one_step(0.1 - h, 0.5)) / (2 * h),
        (after_one_step(0.1, 0.5 + h) - after_one_step(0.1, 0.5 - h)) / (2 * h),
    ]
    f = wrap(lambda lr: meta(lr, 0.5))  # that there is a momentum is decided while tracing
    np.testing.assert_allclose(tm.grad(f)(0.1).item(), want[0], rtol=1e-7)
    np.testing.assert_allclose(tm.grad(lambda m: meta(0.1, m))(0.5).item(), want[1], rtol=1e-7)
    lr = tm.tensor(0.1, requires_grad=True)
    f(lr).backward()
    assert lr.grad.item() == pytest.approx(want[0], rel=1e-7)


def test_a_compiled_step_is_recorded_for_what_is_no_parameter():
    lr, params = tm.tensor(0.1, requires_grad=True), {"w": tm.tensor(W, requires_grad=True)}

    def step(p, lr):
        opt = tm.optim.SGD()
        return opt.update(tm.grad(quartic)(p), opt.init(p), p, lr=lr)[0]

    new = tm.compile(step)(params, lr)
    quartic(new).backward()
    h = 1e-6
    want = (after_one_step(0.1 + h, 0.0) - after_one_step(0.1 - h, 0.0)) / (2 * h)
    assert lr.grad.item() == pytest.approx(want, rel=1e-7)
    assert not tm.compile(step)(params, 0.1)["w"].node.inputs


def test_gradients_made_with_create_graph_are_differentiated_through():
    opt, start = tm.optim.SGD(lr=0.1), {"w": tm.tensor(W, requires_grad=True)}
    p, s = start, opt.init(start)
    for _ in range(2):
        p, s = opt.update(tm.grad_of(quartic(p), p, create_graph=True), s, p)
    quartic(p).backward()
    np.testing.assert_allclose(start["w"].grad.numpy(), meta_gradient(), rtol=1e-7)
    fixed, _ = opt.update(tm.grad_of(quartic(start), start), opt.init(start), start)
    assert fixed["w"].is_leaf


def test_a_state_belongs_to_paths_whatever_the_order_of_keys():
    opt = tm.optim.Adam(lr=0.1)
    params, grads = {"w": tm.ones(2), "b": tm.zeros(2)}, {"b": tm.ones(2), "w": -3 * tm.ones(2)}
    for update in (opt.update, tm.compile(opt.update)):
        new, state = update(grads, opt.init(params), params)
        want, _ = update(2 * grads["b"], [state[1]], new["b"])
        got, after = update({"w": grads["w"], "b": 2 * grads["b"]}, state, dict(reversed(new.items())))
        assert list(got) == list(after.paths) == ["b", "w"]
        np.testing.assert_array_equal(got["b"].numpy(), want.numpy())
    with pytest.raises(tm.ArgumentError, match="the state of w, b for w, c"):
        opt.update({"w": tm.ones(2), "c": tm.ones(2)}, opt.init(params), {"w": tm.ones(2), "c": tm.zeros(2)})


# -- a step on arrays -------------------------------------------------------------------------------------------------
def test_a_number_that_is_changed_between_steps_counts_at_the_next():
    w = tm.tensor([1.0], requires_grad=True)
    opt, want = tm.optim.SGD([w], lr=0.5), 1.0

    def goes_on():
        w.grad = np.ones(1)
        opt.step()
        group = opt.param_groups[0]
        return want - group["lr"] * (1 + group["weight_decay"] * want) * (-1 if group["maximize"] else 1)

    want = goes_on()
    for change in ({"lr": 0.25}, {"lr": np.float64(0.125)}, {"weight_decay": 0.5}, {"lr": 0.0}, {"lr": 1}):
        opt.param_groups[0].update(change)
        want = goes_on()
        assert w.item() == pytest.approx(want, rel=1e-15)
    opt.param_groups[0] = {**opt.param_groups[0], "maximize": True, "weight_decay": 0.0}
    want = goes_on()
    assert w.item() == pytest.approx(want, rel=1e-15)


@pytest.mark.parametrize("dtypes", [(np.float64,), (np.float32, np.float64), (np.complex128, np.float64)])
@pytest.mark.parametrize("make", [tm.optim.SGD, tm.optim.Adam, tm.optim.RMSprop])
def test_few_numbers_and_many_are_moved_by_the_same_maths(make, dtypes, monkeypatch):
    rng = np.random.default_rng(0)
    shapes = ((3, 2), (), (4,), (1, 1))
    values = [rng.normal(size=s).astype(dtypes[k % len(dtypes)]) for k, s in enumerate(shapes)]
    slopes = [[rng.normal(size=v.shape).astype(v.dtype) for v in values] for _ in range(3)]

    def after(size):
        monkeypatch.setattr("tinygrad_math.optim.stepping.SMALL", size)
        ps = [tm.tensor(v, requires_grad=True) for v in values]
        opt = make([{"params": ps[:2], "weight_decay": 0.1}, {"params": ps[2:]}], lr=0.1)
        for step in slopes:
            for p, g in zip(ps, step, strict=True):
                p.grad = g
            opt.step()
        return ps, opt

    few, opt = after(1 << 18)
    many, other = after(0)
    assert not opt._programs
    assert other._programs
    for p, q in zip(few, many, strict=True):
        assert p.dtype == q.dtype
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), rtol=1e-5 if p.dtype == np.float32 else 1e-13
        )
        assert opt.state.get(p, {}).keys() == other.state.get(q, {}).keys()


def test_no_group_moves_where_the_gradient_of_another_does_not_belong_to_its_parameter():
    large, small = tm.tensor(np.ones((200, 200)), requires_grad=True), tm.tensor([1.0, 2.0], requires_grad=True)
    for first, second in ((large, small), (small, large)):
        opt = tm.optim.SGD([{"params": [first]}, {"params": [second], "lr": 0.1}], lr=0.5, momentum=0.5)
        first.grad = np.ones(first.shape)
        second._grad = tm.tensor(np.ones(second.shape) * 1j)  # past the check of `.grad`
        with pytest.raises(tm.DTypeError, match="imaginary"):
            opt.step()
        assert opt.state == {}
        assert large.tolist() == np.ones((200, 200)).tolist()
        assert small.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD", "NAdam"])
def test_switches_for_the_way_of_computing_are_taken_where_they_are_off(kind):
    make, p = getattr(tm.optim, kind), tm.tensor(1.0, requires_grad=True)
    given = make([p], lr=0.5, foreach=None, fused=False, capturable=False, differentiable=False)
    assert repr(given) == repr(make([p], lr=0.5))
    for name in ("foreach", "fused", "capturable", "differentiable"):
        with pytest.raises(tm.ArgumentError, match=f"^{kind}: a step is computed in one way; leave {name}=True out"):
            make([p], **{name: True})
