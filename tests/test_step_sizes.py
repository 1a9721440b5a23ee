"""A step size that is itself differentiated: closed over by the step of a loop, in Python and in programs."""

import numpy as np
import pytest

import tinygrad_math as tm

W, RATE, STEPS = np.array([1.0, 2.0, -0.5]), 0.05, 3
SGD = tm.optim.SGD(lr=0.1)
LOOPS = {
    "python": lambda step, c: step(step(step(c))),
    "fori_loop": lambda step, c: tm.fori_loop(STEPS, lambda i, c: step(c), c),
    "scan": lambda step, c: tm.scan(lambda c, x: (step(c), None), c, np.ones(STEPS))[0],
    "while_loop": lambda step, c: tm.while_loop(lambda s: s[0] < STEPS, lambda s: (s[0] + 1, step(s[1])), (0, c), 9)[1],
}
WAYS = {"eager": lambda f: f, "numpy": tm.compile, "native": lambda f: tm.compile(f, backend="native")}


def by_hand(rate):
    """The loss after steps of gradient descent on sum w³ / 3, from W on, and its derivative in the rate."""
    w, slope = W, np.zeros(3)
    for _ in range(STEPS):
        w, slope = w - rate * w**2, slope * (1 - 2 * rate * w) - w**2
    return (w**3).sum() / 3, (w**2 * slope).sum()


def loss(c):
    return (c["w"] ** 3).sum() / 3


def trained(loop, rate):
    """The function of parameters that trains them by steps of this rate, whatever that is."""

    def run(c):
        def step(cs):
            return SGD.update(tm.grad(loss)(cs[0]), cs[1], cs[0], lr=rate())

        return LOOPS[loop](step, (c, SGD.init(c)))[0]

    return run


def start():
    return {"w": tm.nn.Parameter(W)}


def agrees(value, slope):
    np.testing.assert_allclose([value.item(), slope.item()], by_hand(RATE), rtol=1e-10)


@pytest.fixture(params=LOOPS)
def loop(request):
    return request.param


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.mark.parametrize("whole", [True, False], ids=["the loss is computed inside", "the parameters are returned"])
def test_a_rate_that_requires_a_gradient_gets_it(loop, way, whole):
    rate = tm.tensor(RATE, requires_grad=True)
    run = trained(loop, lambda: rate)
    f = way(lambda c: loss(run(c))) if whole else way(run)
    for _ in range(2):
        rate.grad = None
        y = f(start()) if whole else loss(f(start()))
        y.backward()
        agrees(y, rate.grad)


@pytest.mark.parametrize("whole", [True, False], ids=["the loss is computed inside", "the parameters are returned"])
def test_a_rate_computed_of_what_requires_a_gradient_hands_it_on(loop, way, whole):
    root = tm.tensor(np.sqrt(RATE), requires_grad=True)
    run = trained(loop, lambda: root * root)
    y = way(lambda c: loss(run(c)))(start()) if whole else loss(way(run)(start()))
    y.backward()
    agrees(y, root.grad / (2 * np.sqrt(RATE)))


def test_a_rate_that_an_outer_transform_differentiates(loop, way):
    def total(rate):
        return way(lambda c: loss(trained(loop, lambda: rate)(c)))(start())

    agrees(*tm.value_and_grad(total)(RATE))
    agrees(*tm.jvp(total, (RATE,), (1.0,)))
    agrees(*way(tm.value_and_grad(lambda rate: loss(trained(loop, lambda: rate)(start()))))(RATE))
    curved = tm.grad(tm.grad(total))(RATE).item()
    h = 1e-5
    assert curved == pytest.approx((by_hand(RATE + h)[1] - by_hand(RATE - h)[1]) / (2 * h), rel=1e-6)


def test_a_rate_for_each_example(loop, way):
    rates = np.array([RATE, 0.1, 0.0])
    found = tm.vmap(lambda rate: way(lambda c: loss(trained(loop, lambda: rate)(c)))(start()))(rates)
    np.testing.assert_allclose(found.detach().numpy(), [by_hand(r)[0] for r in rates])
    found = way(tm.vmap(tm.grad(lambda rate: loss(trained(loop, lambda: rate)(start())))))(rates)
    np.testing.assert_allclose(found.detach().numpy(), [by_hand(r)[1] for r in rates])


def test_what_a_loop_of_plain_steps_gives_keeps_no_history(loop, way):
    c = way(trained(loop, lambda: RATE))(start())
    assert (type(c["w"]), c["w"].is_leaf, c["w"].requires_grad) == (tm.nn.Parameter, True, True)
    np.testing.assert_allclose(loss(c).item(), by_hand(RATE)[0])


# -- steps that are written out over a tree of parameters -------------------------------------------------------
class Cubic(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = tm.nn.Parameter(W)

    def forward(self):
        return (self.w**3).sum() / 3


def over_leaves(net, slope, rate):
    return tm.tree_map(lambda p, g: p - rate * g, net, slope)


def over_one_vector(net, slope, rate):
    vector, back = tm.ravel_tree(net)
    return back(vector - rate * tm.ravel_tree(slope)[0])


def over_leaves_and_once_more(net, slope, rate):
    return tm.tree_map(lambda p: p * 1.0, over_leaves(net, slope, rate))


def over_a_list(net, slope, rate):
    leaves, structure = tm.tree_flatten(net)
    steps = zip(leaves, tm.tree_leaves(slope), strict=True)
    return tm.tree_unflatten(structure, [p - rate * g for p, g in steps])


STEP_OF = [over_leaves, over_one_vector, over_leaves_and_once_more, over_a_list]


def descended(step, rate):
    net = Cubic()
    for _ in range(STEPS):
        net = step(net, tm.grad(lambda net: net())(net), rate)
    return net


@pytest.mark.parametrize("step", STEP_OF)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_parameters_made_of_a_step_size_that_is_differentiated_stay_attached_to_it(step, way):
    value, slope = by_hand(RATE)
    run = way(lambda rate: descended(step, rate)())
    rate = tm.tensor(RATE, requires_grad=True)
    y = run(rate)
    y.backward()
    np.testing.assert_allclose([y.item(), rate.grad.item()], [value, slope], rtol=1e-12)
    np.testing.assert_allclose(tm.grad(run)(RATE).item(), slope, rtol=1e-12)
    log_rate = tm.tensor(np.log(RATE), requires_grad=True)
    run(tm.exp(log_rate)).backward()
    np.testing.assert_allclose(log_rate.grad.item(), slope * RATE, rtol=1e-12)


@pytest.mark.parametrize("step", [over_leaves, over_one_vector, over_a_list])
def test_a_plain_step_size_leaves_leaves(step):
    net = descended(step, RATE)
    assert net.w.is_leaf
    assert net.w.requires_grad
    assert net.w.learns


def test_a_penalty_within_the_loss_is_differentiated_by_its_weight():
    """w - r (w² + λ w), of which (w³) / 3 has the derivative -r w'² w by λ."""
    weight = tm.tensor(0.5, requires_grad=True)
    net = Cubic()
    slope = tm.grad(lambda net: net() + weight * (net.w**2).sum() / 2)(net)
    after = over_leaves(net, slope, RATE)
    after().backward()
    moved = W - RATE * (W**2 + 0.5 * W)
    np.testing.assert_allclose(weight.grad.item(), -RATE * (moved**2 * W).sum(), rtol=1e-12)


CHANGES = {
    "alone": lambda c: c,
    "mapped": lambda c: tm.tree_map(lambda p: p * 1.0, c),
    "taken apart": lambda c: tm.tree_unflatten(tm.tree_structure(c), tm.tree_leaves(c)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("of", [lambda r: r, lambda r: r * 1.0], ids=["itself", "computed of it"])
def test_a_rate_that_is_a_parameter_stays_attached_to_what_is_made_of_the_step(change, of):
    rate = tm.nn.Parameter(RATE)
    c = start()
    for _ in range(STEPS):
        c = change(SGD.update(tm.grad(loss)(c), SGD.init(c), c, lr=of(rate))[0])
    loss(c).backward()
    agrees(loss(c), rate.grad)


class Paced(Cubic):
    """A network that has its own step size."""

    def __init__(self):
        super().__init__()
        self.rate = tm.nn.Parameter(RATE)


def with_its_own(step, way):
    net = Paced()
    rate, after = net.rate, net
    for _ in range(STEPS):
        slope = tm.grad(lambda net: net())(after)
        after = way(lambda net, slope: step(net, slope, rate))(after, slope)
    return rate, after()


def by_compiled_gradients(step, way):
    rate, after, gradient = tm.nn.Parameter(RATE), Cubic(), way(tm.grad(lambda net: net()))
    for _ in range(STEPS):
        after = step(after, gradient(after), rate)
    return rate, after()


def with_its_own_by_compiled_gradients(step, way):
    after, gradient = Paced(), way(tm.grad(lambda net: net()))
    rate = after.rate
    for _ in range(STEPS):
        after = step(after, gradient(after), rate)
    return rate, after()


def with_another_network(step, way):
    rate = Paced().rate
    return rate, way(lambda: descended(step, rate)())()


def with_one_that_stands_in_the_loss_too(step, way):
    """A penalty of the rate itself moves nothing, and is differentiated by the network that the step is not of."""
    rate = Paced().rate
    net = Cubic()
    for _ in range(STEPS):
        net = step(net, tm.grad(lambda net: net() + rate**2)(net), rate)
    return rate, net()


@pytest.mark.parametrize(
    "whose",
    [
        with_its_own,
        by_compiled_gradients,
        with_its_own_by_compiled_gradients,
        with_another_network,
        with_one_that_stands_in_the_loss_too,
    ],
)
@pytest.mark.parametrize("step", STEP_OF)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_parameter_that_a_step_uses_is_differentiated_where_it_is_not_what_the_step_learns(step, way, whose):
    rate, y = whose(step, way)
    y.backward()
    agrees(y, rate.grad)


def test_networks_that_learn_in_turn_by_each_others_loss_keep_no_history():
    maker, judge = Cubic(), Cubic()

    def loss(maker, judge):
        return (maker.w * judge.w).sum() + (judge.w**3).sum() + (maker.w**3).sum()

    for _ in range(STEPS):
        maker = over_leaves(maker, tm.grad(lambda maker: loss(maker, judge))(maker), RATE)
        judge = over_leaves(judge, tm.grad(lambda judge: -loss(maker, judge))(judge), RATE)
    assert maker.w.is_leaf
    assert judge.w.is_leaf


# -- steps along a derivative that is constant, which has no history ---------------------------------------------
class Straight(tm.nn.Module):
    """A loss that is linear in the weights, with a rate of its own."""

    def __init__(self):
        super().__init__()
        self.w, self.rate = tm.nn.Parameter(W), tm.nn.Parameter(RATE)

    def forward(self):
        return (3.0 * self.w).sum()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("loss", [Straight.forward, lambda net: tm.relu(net.w - 9.0).sum(), lambda net: 1.0])
def test_steps_along_a_constant_derivative_keep_no_history(loss, way):
    net, slope = Straight(), way(tm.grad(loss))
    for _ in range(4):
        net = over_leaves(net, slope(net), 0.1)
        assert net.w.is_leaf
        assert net.w.requires_grad
    assert net.w.node.inputs == ()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_rate_of_steps_along_a_constant_derivative_is_differentiated(way):
    net, slope = Straight(), way(tm.grad(Straight.forward))
    own, free = net.rate, tm.tensor(RATE, requires_grad=True)
    for _ in range(STEPS):
        net = over_leaves(net, slope(net), net.rate)
    net().backward()
    assert own.grad.item() == pytest.approx(
        -STEPS * 9.0 * W.size, rel=1e-12
    )  # the loss falls by 9 rate a weight and step
    net = Straight()
    for _ in range(STEPS):
        net = over_leaves(net, slope(net), free)
    net().backward()
    assert free.grad.item() == pytest.approx(-STEPS * 9.0 * W.size, rel=1e-12)
