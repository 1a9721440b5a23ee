"""Random networks over a batch of rows: compiled, their losses, derivatives and training steps equal the eager ones.

`programs` draws from all of the package and stays small. Here shapes, layers and losses are those of networks, for
which passes and memory plan have rules of their own: thin products, parts put together, factors, bounds, donation.
Layers stay below `LARGEST` and away from kinks, and losses are of order one, so rounding is all that may differ.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from moves import extreme_gaps, flip, one_of
from programs import directions

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten
from tinygrad_math.special import expit, log_softmax, logsumexp, softmax

SEEDS, QUICK = range(60), 25  # every fifth in single precision; the first of them at each change
TOLERANCE = {np.float64: 1e-11, np.float32: 1e-4}  # of the largest element of a result
NEAR = 3e-5  # how close to a kink a value might cross it by rounding in single precision
ROWS, WIDEST, LARGEST = [32, 64, 100, 128, 150, 200, 300], 40, 10.0
FACTORS = [0.5, -0.5, 2.0, -1.0, 0.1, 2, -3, 1e-3]
LAYERS = []

# -- layers ---------------------------------------------------------------------------------------------
# Each draws what it needs, given rng, three values and `new(*shape)`, which adds a parameter and gives its number, and
# lists what it may be: `f(x, y, z, p)` of a late value, any value, one of the shape of x, and the parameters. Where
# there are kinks it is `(f, gaps)`, and `gaps(x)` are the distances from them. All values have as many rows.


def layer(weight):
    """A layer that is drawn so many times as often as others."""
    return lambda draw: LAYERS.extend([draw] * weight) or draw


def a_width(rng):
    return int(rng.integers(2, 17) if rng.random() < 0.8 else rng.integers(17, 31))


@layer(9)
def products(rng, x, y, z, new):
    n, c = a_width(rng), one_of(rng, FACTORS)
    v, w, u, b = new(x.shape[1], n), new(y.shape[1], n), new(n, n), new(n)
    return [
        lambda x, y, z, p: x @ p[v] + p[b], lambda x, y, z, p: x @ p[v] * c + p[b], lambda x, y, z, p: c * (x @ p[v]),
        lambda x, y, z, p: tm.tanh(x @ p[v] + p[b]), lambda x, y, z, p: tm.maximum(x @ p[v], -LARGEST) * tm.cos(p[b]),
        lambda x, y, z, p: x @ p[v] + y @ (p[w] @ p[u]), lambda x, y, z, p: x @ (p[v] @ p[u]) - y @ p[w],
        lambda x, y, z, p: 0.5 * (x @ p[v]) + 0.5 * (y @ p[w]), lambda x, y, z, p: tm.tanh(x @ p[v]) @ p[u] + y @ p[w],
        lambda x, y, z, p: tm.sin(x @ p[v] @ p[u]) * (y @ p[w]),
    ]  # fmt: skip


@layer(4)
def activation(rng, x, y, z, new):
    f = one_of(rng, [tm.tanh, expit, tm.sin, lambda x: tm.log1p(tm.exp(x)), lambda x: 0.1 * (x * x)])
    return [lambda x, *_: f(x), lambda x, *_: f(x), lambda x, *_: f(x.T).T]


@layer(4)
def kinked(rng, x, y, z, new):
    c = round(float(rng.uniform(-0.5, 0.5)), 2)
    at_0, at_c, at_both = lambda x: x, lambda x: x - c, lambda x: np.stack([x - c + 0.5, x - c - 0.5])
    return [
        (lambda x, *_: tm.relu(x), at_0), (lambda x, *_: tm.where(x > 0, x, 0.1 * x), at_0),
        (lambda x, *_: tm.maximum(x, c), at_c), (lambda x, *_: tm.minimum(c, x), at_c),
        (lambda x, *_: tm.where(x > c, -3 * x, tm.tanh(x)), at_c), (lambda x, y, z, p: z * (x[:, :1] > c), at_c),
        (lambda x, *_: tm.clip(x, c - 0.5, c + 0.5), at_both),
    ]  # fmt: skip


@layer(4)
def normalised(rng, x, y, z, new):
    axis = one_of(rng, [0, 1, -1])
    return [
        lambda x, *_: 3 * softmax(x, axis=axis), lambda x, *_: x - tm.mean(x, axis=axis, keepdims=True),
        lambda x, *_: 0.5 * log_softmax(x, axis=axis), lambda x, *_: x - logsumexp(x, axis=axis, keepdims=True),
        (lambda x, *_: x - tm.max(x, axis=axis, keepdims=True), lambda x: extreme_gaps(x, axis)),
        (lambda x, y, z, p: tm.min(x, axis=axis, keepdims=True) + z, lambda x: extreme_gaps(x, axis, largest=False)),
    ]  # fmt: skip


@layer(3)
def scaled(rng, x, y, z, new):
    c, d = one_of(rng, FACTORS), one_of(rng, FACTORS)
    return [
        lambda x, y, z, p: (x * c) * (z * d), lambda x, y, z, p: x * c - d * z, lambda x, y, z, p: c * x,
        lambda x, y, z, p: (x * c + tm.cos(z)) * d,
    ]  # fmt: skip


@layer(4)
def side_by_side(rng, x, y, z, new):
    c = one_of(rng, FACTORS)
    return [
        lambda x, y, z, p: tm.concat([x, y, z], axis=1), lambda x, y, z, p: c * tm.concat([tm.tanh(x), y], axis=1),
        lambda x, y, z, p: tm.concat([y, tm.concat([tm.sin(x), z * c], axis=1)], axis=1),
        lambda x, y, z, p: tm.concat([tm.exp(-x.T * x.T), tm.tanh(y.T)]).T,
    ]  # fmt: skip


@layer(4)
def one_below_the_other(rng, x, y, z, new):
    """A longer batch of two values, also of parts that are such batches themselves, through one product."""
    w, rows = new(x.shape[1], a_width(rng)), len(x)

    def read_again(x, z):
        inner = tm.concat([tm.tanh(x), z * 0.5])
        return tm.concat([tm.sin(inner), inner, tm.cos(z)])

    join = one_of(rng, [
        lambda x, z: tm.concat([tm.tanh(x), z * 0.5]), lambda x, z: tm.concat([x, tm.sin(z), x]), read_again,
        lambda x, z: tm.concat([tm.tanh(x), tm.concat([z * 0.5, tm.sin(x)])]),
        lambda x, z: tm.concat([tm.concat([tm.sin(x), tm.cos(z)]), tm.tanh(z)]),
    ])  # fmt: skip
    return [lambda x, y, z, p: (h := join(x, z) @ p[w])[:rows] - 0.5 * h[-rows:]]


@layer(2)
def cut_or_reshaped(rng, x, y, z, new):
    n, shape, halves = int(rng.integers(x.shape[1])), x.shape, (2, -1, x.shape[1])
    return [
        lambda x, *_: x[:, n:], lambda x, *_: tm.concat([x[:, n:], tm.tanh(x[:, :n])], axis=1),
        lambda x, *_: x[::-1] * 0.5, lambda x, *_: tm.concat([tm.tanh(x[:5]), x[5:]]),
        lambda x, *_: tm.tanh(x.reshape(-1)).reshape(shape),
        lambda x, *_: (x.reshape(halves) + tm.mean(tm.sin(x.reshape(halves)), axis=0)).reshape(shape),
    ]  # fmt: skip


LOSSES = [  # of logits and targets: none is linear
    lambda z, t: tm.mean(logsumexp(z, axis=1) - tm.sum(t * z, axis=1)),
    lambda z, t: -tm.sum(t * log_softmax(z, axis=1)) / z.shape[0],
    lambda z, t: logsumexp(z),
    lambda z, t: tm.mean(logsumexp(z, axis=0)) + tm.mean(logsumexp(z, axis=1, keepdims=True) ** 2),
    lambda z, t: tm.sum((softmax(z, axis=-1) - t) ** 2) / z.shape[0],
    lambda z, t: tm.mean(tm.tanh(z)) + tm.sum(tm.mean(z, axis=0) ** 2),
    lambda z, t: tm.nn.functional.mse_loss(z, t),
    lambda z, t: -tm.sum(t * log_softmax(0.5 * z, axis=0)) / z.shape[0],
    lambda z, t: tm.mean(tm.log(tm.sum(tm.exp(tm.minimum(z, 2 * LARGEST)), axis=1))),
]


class Network:
    """The network of this seed, and two points (parameters, batch, targets) with their own directions."""

    def __init__(self, seed):
        rng = self.rng = np.random.default_rng([seed, 815])
        self.dtype, rows, features = np.float32 if seed % 5 == 4 else np.float64, one_of(rng, ROWS), a_width(rng)
        classes, length = int(rng.integers(2, 17)), int(rng.integers(3, 13))
        self.points = [
            ([], rng.normal(size=(rows, features)).astype(self.dtype), np.eye(classes, dtype=self.dtype)[labels])
            for labels in rng.integers(classes, size=(2, rows))
        ]
        self.layers, values = [], [[x] for _, x, _ in self.points]
        while len(self.layers) < length:
            self._try_layer(one_of(rng, LAYERS), values)
        self.last, self.terms = self._new(values[0][-1].shape[1], classes), [one_of(rng, LOSSES), one_of(rng, LOSSES)]
        self.factor, self.decay, self.beside = one_of(rng, FACTORS[:5]), flip(rng), int(rng.integers(length))
        self.along = [directions(rng, p) for p, _, _ in self.points]

    def _new(self, *shape):
        for p, _, _ in self.points:
            p.append((self.rng.normal(size=shape) / np.sqrt(shape[0])).astype(self.dtype))
        return len(p) - 1

    def _try_layer(self, draw, values):
        known, count = len(self.points[0][0]), len(values[0])
        i, j = int(self.rng.integers(max(0, count - 3), count)), int(self.rng.integers(count))
        read = i, j, one_of(self.rng, [k for k in range(count) if values[0][k].shape == values[0][i].shape])
        drawn = one_of(self.rng, draw(self.rng, *(values[0][k] for k in read), self._new))
        f, gaps = drawn if isinstance(drawn, tuple) else (drawn, None)
        made = [
            f(*(tm.tensor(v[k]) for k in read), p).numpy() for v, (p, _, _) in zip(values, self.points, strict=True)
        ]
        smooth = gaps is None or all(np.abs(gaps(v[i])).min() > NEAR for v in values)
        if smooth and made[0].shape[1] <= WIDEST and all(np.abs(h).max() < LARGEST for h in made):
            self.layers.append((f, read))
            for v, h in zip(values, made, strict=True):
                v.append(h)
        else:
            for p, _, _ in self.points:
                del p[known:]

    def loss(self, p, x, t):
        v = [x]
        for f, read in self.layers:
            v.append(f(*(v[k] for k in read), p))
        z, (first, second) = v[-1] @ p[self.last], self.terms
        y = self.factor * first(z, t) + 0.1 * tm.mean(tm.tanh(v[self.beside]))
        return y + 0.01 * sum(tm.sum(w * w) for w in p) if self.decay else y + second(0.5 * z, t)

    def gradients(self, p, x, t):
        y, g = tm.value_and_grad(self.loss, argnums=(0, 1))(p, x, t)
        return y, g, y * 2.0

    def hvp(self, p, x, t, along):
        return tm.jvp(lambda p: tm.grad(self.loss)(p, x, t), (p,), (along,))[1]

    def step(self, p, x, t):
        y, g = tm.value_and_grad(self.loss)(p, x, t)
        return [w - 0.05 * d for w, d in zip(p, g, strict=True)], y

    def assert_equal(self, got, want):
        got, want = ([tm.tensor(x).numpy() for x in flatten(tree)[0]] for tree in (got, want))
        for x, y in zip(got, want, strict=True):
            assert (x.shape, x.dtype) == (y.shape, y.dtype)
            np.testing.assert_allclose(x, y, rtol=0, atol=TOLERANCE[self.dtype] * max(np.abs(y).max() for y in want))


def each(f, *trees):
    """The same trees, with f of every array."""
    return [each(f, *tree) if isinstance(tree, list) else f(tree) for tree in trees]


# -- tests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [s if s < QUICK else pytest.param(s, marks=pytest.mark.long) for s in SEEDS])
def test_the_loss_of_a_compiled_network_and_its_derivatives_equal_the_eager_ones(seed):
    network = Network(seed)
    loss, gradients, hvp = map(tm.compile, (network.loss, network.gradients, network.hvp))
    for point, along in zip(network.points, network.along, strict=True):
        tensors = each(tm.tensor, *point)
        network.assert_equal(loss(*point), network.loss(*tensors))
        network.assert_equal(gradients(*point), network.gradients(*tensors))
        network.assert_equal(hvp(*point, along), network.hvp(*tensors, each(tm.tensor, *along)))
    hvp.program.validate(*flatten((*network.points[0], network.along[0]))[0])


@pytest.mark.parametrize("seed", [s if s < QUICK else pytest.param(s, marks=pytest.mark.long) for s in SEEDS])
def test_a_compiled_step_may_overwrite_its_parameters_and_arguments_may_lie_otherwise_at_each_call(seed):
    network, rng = Network(seed), np.random.default_rng(seed)
    step = tm.compile(network.step, donate_argnums=0)

    def laid_out(x):
        wide = np.zeros([2 * n for n in x.shape], x.dtype)[tuple(slice(None, None, 2) for _ in x.shape)]
        wide[...] = x
        return one_of(rng, [x.copy(), np.array(x, order="F"), wide, x[::-1].copy()[::-1]])

    for point in (*network.points, network.points[0]):
        network.assert_equal(step(*each(laid_out, *point)), network.step(*each(tm.tensor, *point)))


@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_the_source_of_a_network_and_its_derivatives_stands_alone(order, buffers):
    network = Network(SEEDS[2 * order + buffers])
    network.decay = True  # derivatives that are zero are left out
    (p, x, t), along = network.points[1], network.along[1]
    scope = {}
    exec(tm.to_source(network.loss, *network.points[0], order=order, buffers=buffers), scope)
    got = scope["loss"](*p, x, t, *(along if order == 2 else []))
    point = each(tm.tensor, p, x, t)
    want = [network.loss, tm.grad(network.loss), lambda *point: network.hvp(*point, each(tm.tensor, *along))]
    network.assert_equal(got, [f(*point) for f in want[: order + 1]])


@pytest.mark.parametrize("seed", SEEDS[::12])
def test_threads_that_share_a_compiled_network_do_not_disturb_each_other(seed):
    network = Network(seed)
    gradients = tm.compile(network.gradients)
    alone = [gradients(*point) for point in network.points]
    with ThreadPoolExecutor(4) as pool:
        for k, got in enumerate(pool.map(lambda k: gradients(*network.points[k % 2]), range(32))):
            for x, y in zip(flatten(got)[0], flatten(alone[k % 2])[0], strict=True):
                np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_the_networks_hold_what_is_hard_to_compile():
    found = Counter()
    for seed in SEEDS[:QUICK]:
        network = Network(seed)
        step = tm.compile(network.step, donate_argnums=0)
        step(*each(np.copy, *network.points[0]))
        plan, body, users = step.latest.plan, step.program.body, step.program.users()
        products = [v.inputs[0].inputs for v in body if v.title == "transpose" and v.inputs[0].title == "matmul"]
        found.update(name for name, there in {
            "joined in place": plan.joined(), "nested": plan.joined() & set(plan.inside),
            "read again": [v for v in plan.inside if users[v] > 1], "donated": "donated" in plan.kind.values(),
            "turned": [p for p in products if all(v.title == "transpose" for v in p)],
            "bounds": [v for v in step.program.constants() if v.shape and str(v.name).startswith("all_")],
        }.items() if there)  # fmt: skip
    assert min(found[name] for name in ("joined in place", "nested", "read again", "turned", "bounds")) >= 3, found
    assert found["donated"] == QUICK
