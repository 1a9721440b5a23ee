"""What a loop carries, and what derivatives and compiled functions give, has its graph where a plain Tensor has it."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_math as tm

WAYS = {
    "eager": lambda f: f,
    "compiled": tm.compile,
    "native": lambda f: tm.compile(f, backend="native"),
}
A = np.array([0.5, -1.25])


class Vector(tm.nn.Module):
    def __init__(self, a):
        super().__init__()
        self.a = tm.nn.Parameter(a)

    def forward(self):
        return self.a


HOLDERS = {  # a leaf, the tree that it is handed in, and how it is found there
    "tensor": lambda: (w := tm.tensor(A, requires_grad=True), w, lambda t: t),
    "parameter": lambda: (w := tm.nn.Parameter(A), w, lambda t: t),
    "dict": lambda: (w := tm.nn.Parameter(A), {"w": w}, lambda t: t["w"]),
    "module": lambda: ((m := Vector(A)).a, m, lambda t: t.a),
    "beside": lambda: ((m := Vector(A)).a, (1.0, [m]), lambda t: t[1][0].a),
}


@pytest.fixture(params=WAYS)
def way(request):
    if request.param == "native":
        pytest.importorskip("llvmlite")
    return WAYS[request.param]


@pytest.fixture(params=HOLDERS)
def held(request):
    return HOLDERS[request.param]()


def doubled(tree):
    return tm.tree_map(lambda a: 2 * a, tree)


LOOPS = {
    "fori_loop": lambda tree: tm.fori_loop(3, lambda i, c: doubled(c), tree),
    "scan": lambda tree: tm.scan(lambda c, x: (doubled(c), None), tree, length=3)[0],
    "scan, reverse": lambda tree: tm.scan(lambda c, x: (doubled(c), None), tree, np.ones(3), reverse=True)[0],
    "while_loop": lambda tree: tm.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, doubled(s[1])), (0, tree), 5)[1],
    "checkpoint=1": lambda tree: tm.fori_loop(3, lambda i, c: doubled(c), tree, checkpoint=1),
    "checkpoint=2": lambda tree: tm.scan(lambda c, x: (doubled(c), None), tree, length=3, checkpoint=2)[0],
    "nested": lambda tree: tm.fori_loop(
        1, lambda i, c: tm.fori_loop(2, lambda j, d: doubled(d), c), tm.fori_loop(1, lambda i, c: doubled(c), tree)
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_loop_carries_has_its_gradient(loop, way, held):
    leaf, tree, find = held
    (find(way(LOOPS[loop])(tree)) ** 2).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 128 * A, rtol=1e-15)


def test_what_a_loop_gives_beside_the_carry_has_its_gradient(way, held):
    leaf, tree, find = held
    ys = way(lambda tree: tm.scan(lambda c, x: (doubled(c), c), tree, length=3)[1])(tree)
    find(ys).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), [7.0, 7.0], rtol=1e-15)


def test_what_is_carried_and_closed_over_has_the_whole_gradient(way, held):
    leaf, tree, find = held
    find(way(lambda t: tm.fori_loop(2, lambda i, c: tm.tree_map(lambda a, b: a * b, c, t), t))(tree)).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 3 * A**2, rtol=1e-15)  # of a * a * a


def test_what_a_loop_hands_on_is_what_it_was_given():
    net = tm.nn.Linear(2, 2, rng=0)
    after, y = tm.fori_loop(3, lambda i, c: (c[0], tm.tanh(c[0](c[1]))), (net, np.ones(2)))
    assert after.weight is net.weight
    y.sum().backward()
    by_hand = tm.nn.Linear(2, 2, rng=0)
    h = tm.tensor(np.ones(2))
    for _ in range(3):
        h = tm.tanh(by_hand(h))
    h.sum().backward()
    np.testing.assert_allclose(net.weight.grad.numpy(), by_hand.weight.grad.numpy(), rtol=1e-14)


@pytest.mark.parametrize("make", [lambda: tm.tensor(A, requires_grad=True), lambda: tm.nn.Parameter(A)])
def test_a_step_under_no_grad_does_not_write_to_what_the_caller_gave(make):
    def step(i, c):
        c += 1.0
        return c

    w = make()
    with tm.no_grad():
        after = tm.fori_loop(3, step, w)
    np.testing.assert_array_equal(w.detach().numpy(), A)
    np.testing.assert_array_equal(after.detach().numpy(), A + 3)


@pytest.mark.parametrize("compile", [False, True])
def test_a_learned_initial_state_moves_in_fit(compile):
    class Recurrent(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.start = tm.nn.Parameter(np.zeros(2))
            self.cell = tm.nn.Linear(2, 2, rng=0)

        def forward(self, x):
            return tm.fori_loop(2, lambda i, h: tm.tanh(self.cell(h)), self.start) + x

    net = Recurrent()
    data = np.zeros((4, 2)), np.ones((4, 2))
    tm.train.fit(net, data, tm.nn.functional.mse_loss, tm.optim.SGD(net, lr=0.1), compile=compile, progress=False)
    assert np.all(net.start.detach().numpy() != 0)


# -- derivatives that are results: f(w) = sum w^4, g = 4 w^3, and each of these is a function of g or of H = 12 w^2
def quartic(find):
    return lambda tree: (find(tree) ** 4).sum()


DERIVATIVES = {  # the function of w, and the gradient of the sum of its squares
    "grad": (lambda f, find: lambda t: find(tm.grad(f)(t)), 96 * A**5),
    "value_and_grad": (lambda f, find: lambda t: find(tm.value_and_grad(f)(t)[1]), 96 * A**5),
    "the value": (lambda f, find: lambda t: tm.value_and_grad(f)(t)[0], 8 * (A**4).sum() * A**3),
    "vjp": (lambda f, find: lambda t: find(tm.vjp(f, t)[1](1.0)[0]), 96 * A**5),
    "jacobian": (lambda f, find: lambda t: find(tm.jacobian(lambda t: f(t).reshape(1))(t))[0], 96 * A**5),
    "hvp": (lambda f, find: lambda t: find(tm.hvp(f, t, tm.tree_map(lambda a: tm.ones(np.shape(a)), t))), 576 * A**3),
    "jvp": (
        lambda f, find: lambda t: tm.jvp(f, (t,), (tm.tree_map(lambda a: tm.ones(np.shape(a)), t),))[1],
        2 * (4 * A**3).sum() * 12 * A**2,
    ),
    "a map of gradients": (lambda f, find: lambda t: find(doubled(tm.grad(f)(t))), 4 * 96 * A**5),
    "a loop over gradients": (lambda f, find: lambda t: find(LOOPS["fori_loop"](tm.grad(f)(t))), 64 * 96 * A**5),
}


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("held", ["tensor", "parameter", "dict", "module"], indirect=True)
def test_a_penalty_on_a_derivative_counts(name, way, held):
    leaf, tree, find = held
    make, wanted = DERIVATIVES[name]
    f = quartic(find)
    (f(tree) + (way(make(f, find))(tree) ** 2).sum()).backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 4 * A**3 + wanted, rtol=1e-13)


def test_a_penalty_on_gradients_that_are_mapped_outside_counts(way, held):
    leaf, tree, find = held
    f = quartic(find)
    gradient = way(tm.grad(f))(tree)
    squares = tm.tree_map(lambda g: g**2, gradient)
    (f(tree) + find(squares).sum()).backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 4 * A**3 + 96 * A**5, rtol=1e-13)


def test_steps_by_hand_are_leaves_also_where_a_parameter_is_held_fixed(way):
    net = tm.nn.Sequential(tm.nn.Linear(2, 2, rng=0), tm.nn.Linear(2, 1, rng=1))
    net[0].bias.requires_grad = False
    gradient = way(tm.grad(lambda net: (net(np.ones((3, 2))) ** 2).mean()))
    for _ in range(3):
        net = tm.tree_map(lambda p, g: p - 0.1 * g, net, gradient(net))
    for _, p in net.named_parameters():
        assert p.node.op is None
    assert [p.requires_grad for _, p in net.named_parameters()] == [True, False, True, True]


# -- steps of training -----------------------------------------------------------------------------------------
X = np.ones((4, 3))


def one_step(way, inside=lambda m, l: l):
    """A step, what it starts from, and what it does by itself."""
    m = tm.nn.Linear(3, 1, rng=0)
    o = tm.optim.SGD(m, lr=0.1, momentum=0.9)

    def step(m, s):
        loss, g = tm.value_and_grad(lambda m: (m(X) ** 2).mean())(m)
        new, s = o.update(g, s, m)
        return new, s, inside(m, loss)

    return way(step), m, o.init(m)


def test_the_loss_of_a_step_is_differentiated_or_says_that_it_is_not(way):
    step, m, s = one_step(way)
    for _ in range(2):  # the first call and those that find the program
        _, _, loss = step(m, s)
        total = 2 * loss + (m.weight**2).sum()
        if way is WAYS["eager"]:
            m.weight.grad = None
            total.backward()
            by_hand = tm.grad(lambda m: 2 * (m(X) ** 2).mean() + (m.weight**2).sum())(m)
            np.testing.assert_allclose(m.weight.grad.numpy(), by_hand.weight.detach().numpy(), rtol=1e-14)
            continue
        for refused in (
            total.backward,
            loss.backward,
            lambda total=total: tm.grad_of(total, [m.weight]),
            lambda loss=loss: tm.grad_of(loss, [m.weight], allow_unused=True),
            lambda total=total: total.backward(create_graph=True),
        ):
            with pytest.raises(tm.errors.NoDerivative, match=r"keeps no graph.*loss\.detach\(\)"):
                refused()
        assert m.weight.grad is None


@pytest.mark.parametrize("way", ["compiled", "native"], indirect=True)
@pytest.mark.parametrize("inside", [lambda m, l: {"norm": (m.weight**2).sum(), "n": 3}, lambda m, l: [m(X)]])
def test_so_does_whatever_else_a_step_returns(way, inside):
    step, m, s = one_step(way, inside)
    new, _, more = step(m, s)
    with pytest.raises(tm.errors.NoDerivative, match="keeps no graph"):
        (next(iter(more.values() if isinstance(more, dict) else more)).sum() + (new.weight**2).sum()).backward()


def test_the_loss_of_a_step_is_a_constant_where_it_may_be_one(way):
    step, m, s = one_step(way)
    _, _, loss = step(m, s)
    (loss.detach() * m.weight.sum()).backward()
    np.testing.assert_allclose(m.weight.grad.numpy(), np.full((1, 3), loss.item()))
    np.testing.assert_allclose(tm.grad(lambda w: (w * loss) ** 2)(3.0).item(), 6 * loss.item() ** 2)
    (tm.stop_gradient(loss) * m.bias.sum() + (loss > 0) * m.bias.sum()).backward()
    np.testing.assert_allclose(m.bias.grad.numpy(), [loss.item() + 1])
    assert float(loss) > 0
    assert min([loss, 1e9]) is loss
    with tm.no_grad():
        assert step(m, s)[2].node.live == 0
    if way is not WAYS["eager"]:
        assert np.asarray([loss, loss]).shape == (2,)
        assert not loss.requires_grad


@pytest.mark.parametrize("way", ["compiled", "native"], indirect=True)
def test_what_steps_leave_keeps_no_parameters_alive(way):
    step, m, s = one_step(way)
    losses, nodes = [], []
    for _ in range(4):
        m, s, loss = step(m, s)
        losses.append(loss)
        nodes.append(weakref.ref(m.weight.node))
    gc.collect()
    assert [n() is None for n in nodes] == [True, True, True, False]
    assert all(p.node.op is None and p.requires_grad for p in m.parameters())


def test_what_goes_from_step_to_step_makes_no_difference_to_it(way):
    m = tm.nn.Linear(3, 1, rng=0)
    o = tm.optim.SGD(m, lr=0.1)

    def step(m, s, average):
        loss, g = tm.value_and_grad(lambda m: (m(X) ** 2).mean())(m)
        m, s = o.update(g, s, m)
        return m, s, 0.9 * average + 0.1 * loss

    f, s, average = way(step), o.init(m), tm.tensor(0.0)
    for _ in range(4):
        m, s, average = f(m, s, average)
        assert m.weight.node.op is None
        if way is not WAYS["eager"]:
            assert average.node.op.name == "result_of_a_step"
            assert f.latest.losing


def test_a_step_that_reaches_another_network_is_alike_at_each_call(way):
    m, teacher = tm.nn.Linear(3, 1, rng=0), tm.nn.Linear(3, 1, rng=1)
    o = tm.optim.SGD(m, lr=0.1)

    def step(m, s):
        loss, g = tm.value_and_grad(lambda m: ((m(X) - teacher(X)) ** 2).mean())(m)
        return *o.update(g, s, m), loss

    f, s = way(step), o.init(m)
    kinds = []
    for _ in range(3):
        m, s, loss = f(m, s)
        assert m.weight.node.op is None
        kinds.append((loss.node.op.name, loss.requires_grad))
    assert len(set(kinds)) == 1


def test_a_whole_run_in_a_loop_gives_losses_that_say_so(way):
    step, m, s = one_step(way)
    plain = getattr(step, "f", step)

    def run(m, s):
        def one(c, _):
            *c, loss = plain(*c)
            return tuple(c), loss

        return tm.scan(one, (m, s), length=3)

    (new, _), losses = way(run)(m, s)
    assert new.weight.node.op is None
    if way is not WAYS["eager"]:
        with pytest.raises(tm.errors.NoDerivative, match="keeps no graph"):
            (losses.sum() + (m.weight**2).sum()).backward()


@pytest.mark.parametrize("holder", ["tensor", "parameter", "dict", "module"])
@pytest.mark.parametrize("of", [lambda lr: lr, lambda lr: 0.5 * lr])
def test_a_step_size_that_is_learned_has_its_gradient(holder, of, way):
    leaf, tree, find = HOLDERS[holder]()
    o = tm.optim.SGD([leaf], lr=0.1)

    def step(tree, state, lr):
        g = tm.grad(lambda t: (find(t) ** 2).sum())(tree)
        return o.update(g, state, tree, lr=of(lr))

    f, scale = way(step), of(1.0)
    for _ in range(2):
        lr = tm.tensor(0.1, requires_grad=True)
        new, _ = f(tree, o.init(tree), lr)
        (find(new) ** 2).sum().backward()  # of (1 - 2 s lr)^2 w^2
        np.testing.assert_allclose(lr.grad.item(), (-4 * scale * (1 - 0.2 * scale) * A**2).sum(), rtol=1e-13)
    plain, _ = f(tree, o.init(tree), 0.1)
    if holder != "tensor":
        assert find(plain).node.op is None
        assert find(plain).requires_grad
