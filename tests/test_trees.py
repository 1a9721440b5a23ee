"""Trees keep what they are made of: order, types, attributes, ties, parameters."""

import array
import dataclasses
import functools
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten, show, unflatten

W = np.array([1.0, 2.0])
Pair = namedtuple("Pair", "a b")


class Tagged(dict):
    """A dict whose constructor takes something else, and which says no to being filled."""

    def __init__(self, tag, **items):
        super().__init__(**items)
        self.tag = tag

    def __setitem__(self, key, value):
        raise RuntimeError("filled from outside")


class Rows(list):
    """A list with an attribute."""


class Named(Pair):
    """A named tuple with an attribute."""


@dataclasses.dataclass
class Scaled:
    w: Any
    k: float = dataclasses.field(init=False, default=1.0)


@dataclasses.dataclass(frozen=True)
class Frozen:
    w: Any
    squared: Any = dataclasses.field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "squared", "made by the constructor")


@dataclasses.dataclass(slots=True)
class Slotted:
    w: Any
    k: float = dataclasses.field(init=False, default=2.0)


class Cached:
    """A tree of its own, with a cache."""

    def __init__(self, w):
        self.w = w

    @functools.cached_property
    def total(self):
        return tm.sum(self.w)


def scaled():
    c = Scaled(W)
    c.k, c.later = 5.0, 7.0
    return c


def frozen():
    c = Frozen(W)
    object.__setattr__(c, "squared", 5.0)
    object.__setattr__(c, "later", 7.0)
    return c


def slotted():
    c = Slotted(W)
    c.k = 5.0
    return c


def tagged():
    return Tagged(5.0, w=W)


def rows():
    r = Rows([W])
    r.k = 5.0
    return r


def named():
    n = Named(W, 1.0)
    n.k = 5.0
    return n


KEPT = {
    "dataclass": (scaled, lambda c: (c.w * c.k).sum() * (c.later / 7.0), lambda c: c.w),
    "frozen dataclass": (frozen, lambda c: (c.w * c.squared).sum() * (c.later / 7.0), lambda c: c.w),
    "dataclass with slots": (slotted, lambda c: (c.w * c.k).sum(), lambda c: c.w),
    "subclass of dict": (tagged, lambda c: (c["w"] * c.tag).sum(), lambda c: c["w"]),
    "subclass of list": (rows, lambda c: (c[0] * c.k).sum(), lambda c: c[0]),
    "subclass of a named tuple": (named, lambda c: (c.a * c.k * c.b).sum(), lambda c: c.a),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_no_child_of_a_container_stays_what_it_was(kind):
    make, f, weight = KEPT[kind]
    c = make()
    assert float(f(c)) == 15.0
    value, gradient = tm.value_and_grad(f)(c)
    assert (value.item(), type(gradient)) == (15.0, type(c))
    assert weight(gradient).tolist() == [5.0, 5.0]
    assert tm.compile(f)(c).item() == 15.0
    assert tm.jvp(f, (c,), (tm.tree_map(tm.ones_like, c),))[1].item() == (25.0 if "tuple" in kind else 10.0)
    curved = tm.hvp(lambda c: f(c) ** 2, c, c)  # f = 5 b (w1 + w2), b = 1 a leaf of the named tuple only
    assert weight(curved).tolist() == ([450.0] * 2 if "tuple" in kind else [150.0] * 2)
    doubled = tm.tree_map(lambda leaf: leaf * 2, c)
    assert float(f(doubled)) == (60.0 if "tuple" in kind else 30.0)
    assert weight(c) is W


@pytest.mark.parametrize("kind", ["dataclass", "subclass of dict", "subclass of list"])
def test_a_compiled_function_notices_another_attribute(kind):
    make, f, _ = KEPT[kind]
    g, c = tm.compile(f), make()
    assert g(c).item() == 15.0
    for name in ("k", "tag"):
        if hasattr(c, name):
            setattr(c, name, 10.0)
    assert g(c).item() == 30.0
    assert g(make()).item() == 15.0


def test_arrays_beside_the_children_are_compared_by_content():
    f = tm.compile(lambda d: (d["w"] * d.tag).sum())
    assert f(Tagged(np.array([1.0, 2.0]), w=W)).item() == 5.0
    assert f(Tagged(np.array([1.0, 2.0]), w=W)).item() == 5.0
    d = Tagged(np.array([1.0, 0.0]), w=W)
    assert f(d).item() == 1.0
    d.tag[1] = 10.0
    assert f(d).item() == 21.0
    assert f(Tagged([1.0, 2.0], w=W)).item() == 5.0


def put_second(tag):
    tag[1] = 10


def put_inside(tag):
    tag["in"][1] = 10


# the attribute, how it is written to in place, and what the function multiplies with
WRITTEN = {
    "array": (lambda: np.array([1.0, 0.0]), put_second, lambda tag: tag[1]),
    "list": (lambda: [1.0, 0.0], put_second, lambda tag: tag[1]),
    "list of arrays": (lambda: [np.zeros(2), np.zeros(2)], lambda tag: put_second(tag[1]), lambda tag: tag[1][1]),
    "dict": (lambda: {1: 0.0}, put_second, lambda tag: tag[1]),
    "dict of an array": (lambda: {"in": np.zeros(2)}, put_inside, lambda tag: tag["in"][1]),
    "dict of a list": (lambda: {"in": [0.0, 0.0]}, put_inside, lambda tag: tag["in"][1]),
    "tuple of a list": (lambda: ([0.0, 0.0],), lambda tag: put_second(tag[0]), lambda tag: tag[0][1]),
    "set": (set, lambda tag: tag.add(10), lambda tag: sum(tag)),
    "deque": (lambda: deque([1.0, 0.0]), put_second, lambda tag: tag[1]),
    "bytearray": (lambda: bytearray(2), put_second, lambda tag: tag[1]),
    "buffer": (lambda: array.array("d", [1.0, 0.0]), put_second, lambda tag: tag[1]),
    "object": (lambda: Cached([1.0, 0.0]), lambda tag: put_second(tag.w), lambda tag: tag.w[1]),
}
HOLDERS = {
    "dict": (lambda tag: Tagged(tag, w=W), lambda c: c["w"]),
    "dataclass": (lambda tag: with_tag(Scaled(W), tag), lambda c: c.w),
    "slots": (lambda tag: with_tag(Slotted(W), tag, "k"), lambda c: c.w),
}


def with_tag(c, tag, name="tag"):
    setattr(c, name, tag)
    return c


@pytest.mark.parametrize("asked", [tm.value_and_grad, None], ids=["derivative first", "value first"])
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", WRITTEN)
def test_an_attribute_that_is_written_to_in_place_is_seen(kind, holder, asked):
    (new, write, read), (hold, weight) = WRITTEN[kind], HOLDERS[holder]
    g = tm.compile(lambda c: (weight(c) * read(c.k if holder == "slots" else c.tag)).sum())
    c = hold(new())
    first = asked(g)(c)[0] if asked else g(c)
    assert first.item() == 0.0
    write(c.k if holder == "slots" else c.tag)
    assert g(c).item() == 30.0
    assert g(hold(new())).item() == 0.0
    assert g(c).item() == 30.0


@pytest.mark.parametrize(
    "tree",
    [
        OrderedDict(b=1.0, a=2.0),
        Counter(b=1, a=2),
        defaultdict(list, b=1.0, a=[2.0]),
        {"b": None, "a": (1.0, [None, Pair(1.0, {"z": 2.0, "y": 3.0})])},
        Pair(None, 1.0),
        [],
        (),
        {},
        None,
        {1: 1.0, "x": 2.0, (1, 2): 3.0},
    ],
)
def test_a_tree_that_was_taken_apart_comes_back_as_it_was(tree):
    leaves, structure = flatten(tree)
    back = unflatten(structure, leaves)
    assert back == tree
    assert repr(back) == repr(tree)
    assert hash(flatten(back)[1]) == hash(structure)
    assert flatten(back)[1] == structure
    assert tm.tree_map(lambda a, b: a, tree, back) == tree


def test_a_defaultdict_still_makes_its_entries():
    tree = tm.tree_map(lambda v: v + 1, defaultdict(list, a=1.0))
    tree["new"].append(2)
    assert dict(tree) == {"a": 2.0, "new": [2]}


def test_an_ordered_dict_is_moved_about_as_before():
    tree = tm.tree_map(lambda v: v, OrderedDict(a=1.0, b=2.0))
    tree.move_to_end("a")
    assert list(tree) == ["b", "a"]


def test_a_cached_property_is_computed_anew_for_other_leaves():
    @dataclasses.dataclass
    class Data(Cached):
        w: Any

    class Net(tm.nn.Module):
        def __init__(self):
            self.w = tm.nn.Parameter(W)

        total = Cached.__dict__["total"]

    Net.total.__set_name__(Net, "total")
    for c in (Data(W), Net()):
        assert float(c.total) == 3.0
        assert tm.grad(lambda c: c.total**2)(c).w.tolist() == [6.0, 6.0]
        assert tm.tree_map(lambda w: w * 2, c).total.item() == 6.0


# -- the order of keys ------------------------------------------------------------------------------------------


def test_trees_of_the_same_keys_correspond_whatever_their_order():
    p = {"w": np.array([1.0, 2.0]), "b": np.array(3.0)}
    q = {"b": np.array(10.0), "w": np.array([20.0, 30.0])}

    def f(t):
        return (t["w"] ** 2).sum() * t["b"]

    got = tm.tree_map(lambda a, b: a - b, p, q)
    assert list(got) == ["w", "b"]
    assert (got["w"].tolist(), float(got["b"])) == ([-19.0, -28.0], -7.0)
    want = 2 * 3.0 * (20.0 + 60.0) + 5.0 * 10.0
    assert tm.jvp(f, (p,), (q,))[1].item() == want
    assert tm.linearize(f, p)[1](q).item() == want
    hv = tm.hvp(f, p, q)
    assert list(hv) == ["w", "b"]
    np.testing.assert_allclose(hv["w"].numpy(), 2 * 3.0 * q["w"] + 2 * p["w"] * 10.0)
    assert hv["b"].item() == 160.0
    opt = tm.optim.SGD(lr=0.5)
    new, _ = opt.update(q, opt.init(p), p)
    assert list(new) == ["w", "b"]
    assert (new["w"].tolist(), new["b"].item()) == ([-9.0, -13.0], -2.0)
    _, pull = tm.vjp(lambda x: {"a": x, "b": 2 * x}, 1.0)
    assert pull({"b": 10.0, "a": 1.0})[0].item() == 21.0
    nested = tm.tree_map(lambda a, b: a - b, [OrderedDict(x={"u": 1, "v": 2})], [OrderedDict(x={"v": 20, "u": 10})])
    assert nested == [OrderedDict(x={"u": -9, "v": -18})]


def test_the_order_of_keys_is_that_of_the_argument():
    for order in (["b", "a", "c"], ["c", "a", "b"]):
        tree = dict.fromkeys(order, W)
        assert list(tm.grad(lambda t: sum(v.sum() for v in t.values()))(tree)) == order
        assert list(tm.stop_gradient(tree)) == order
        assert list(tm.compile(lambda t: {k: v * 2 for k, v in t.items()})(tree)) == order


@pytest.mark.parametrize(
    "other", [{"w": 1.0}, {"w": 1.0, "c": 2.0}, {"w": 1.0, "b": [2.0]}, {"w": 1.0, "b": None}, [1.0, 2.0], None]
)
def test_trees_that_differ_are_refused(other):
    with pytest.raises(tm.ShapeError, match="trees differ"):
        tm.tree_map(lambda a, b: a, {"w": 1.0, "b": 2.0}, other)


def test_a_fixed_point_may_return_its_keys_in_another_order():
    f = tm.implicit.fixed_point(lambda x, a: {"q": x["p"] * 0.5, "p": x["q"] * 0.25 + a})
    x = f({"p": 0.0, "q": 1.0}, 1.0)
    np.testing.assert_allclose([x["p"].item(), x["q"].item()], [1 / 0.875, 0.5 / 0.875])


# -- tied parameters ----------------------------------------------------------------------------------------------


class Tied(tm.nn.Module):
    """Two layers that share one matrix, at different depths."""

    def __init__(self, start=((1.0, 2.0), (3.0, 4.0))):
        self.encoder = tm.nn.Linear(2, 2, bias=False, rng=0)
        self.decoder = tm.nn.Sequential(tm.nn.Tanh(), tm.nn.Linear(2, 2, bias=False, rng=1))
        self.encoder.weight = self.decoder[1].weight = tm.nn.Parameter(start)

    def forward(self, x):
        return self.decoder(self.encoder(x)).sum()


X = np.array([[0.1, -0.2], [0.3, 0.4], [0.2, 0.1]])


def tied_gradient(w, h=1e-6):
    """By central differences of a plain NumPy forward."""

    def f(w):
        return (np.tanh(X @ w.T) @ w.T).sum()

    g = np.zeros_like(w)
    for k in np.ndindex(w.shape):
        e = np.zeros_like(w)
        e[k] = h
        g[k] = (f(w + e) - f(w - e)) / (2 * h)
    return g


def test_tied_parameters_are_one_leaf_with_the_whole_gradient():
    net = Tied()
    want = tied_gradient(np.array([[1.0, 2.0], [3.0, 4.0]]))
    leaves, structure = flatten(net)
    assert len(leaves) == 1
    assert "leaf 0 again" in show(structure)
    for gradient in (
        tm.grad(lambda n: n(X))(net),
        tm.vjp(lambda n: n(X), net)[1](1.0)[0],
        tm.compile(tm.grad(lambda n: n(X)))(net),
        tm.jacobian(lambda n: n(X))(net),
    ):
        assert gradient.encoder.weight is gradient.decoder[1].weight
        np.testing.assert_allclose(gradient.encoder.weight.detach().numpy(), want, rtol=1e-8)
    net(X).backward()
    np.testing.assert_allclose(net.encoder.weight.grad.numpy(), want, rtol=1e-8)
    v = tm.tree_map(tm.ones_like, net)
    assert tm.jvp(lambda n: n(X), (net,), (v,))[1].item() == pytest.approx(want.sum())


def test_what_is_tied_stays_tied_through_updates_and_compiled_steps():
    net, opt = Tied(), tm.optim.SGD(lr=0.1, momentum=0.9)
    state = opt.init(net)
    assert len(state) == 1

    def step(net, state):
        return opt.update(tm.grad(lambda n: n(X))(net), state, net)

    fast, w, v = tm.compile(step), np.array([[1.0, 2.0], [3.0, 4.0]]), 0.0
    p, s, q, r = net, state, net, state
    for _ in range(3):
        p, s = step(p, s)
        q, r = fast(q, r)
        v = 0.9 * v + tied_gradient(w)
        w = w - 0.1 * v
    for n in (p, q):
        assert n.encoder.weight is n.decoder[1].weight
        assert len(list(n.parameters())) == 1
        np.testing.assert_allclose(n.encoder.weight.detach().numpy(), w, rtol=1e-7)


def test_one_program_does_not_serve_tied_and_untied_modules():
    untied = Tied()
    untied.decoder[1].weight = tm.nn.Parameter(untied.encoder.weight)
    f = tm.compile(tm.grad(lambda n: n(X)))
    for net in (untied, Tied(), untied, Tied()):
        got, want = f(net), tm.grad(lambda n: n(X))(net)
        assert (got.encoder.weight is got.decoder[1].weight) == (net.encoder.weight is net.decoder[1].weight)
        np.testing.assert_allclose(got.encoder.weight.detach().numpy(), want.encoder.weight.detach().numpy())


def test_a_parameter_in_two_modules_of_a_tuple_is_one_leaf_and_a_tensor_in_a_plain_dict_two():
    a, b = tm.nn.Linear(2, 1, bias=False, rng=0), tm.nn.Linear(2, 1, bias=False, rng=1)
    b.weight = a.weight

    def loss(both):
        a, b = both
        return (a(X) * b(X) ** 2).sum()

    first, second = tm.grad(loss)((a, b))
    assert first.weight is second.weight
    z = X @ a.weight.detach().numpy().T
    np.testing.assert_allclose(first.weight.detach().numpy(), (3 * z**2 * X).sum(axis=0, keepdims=True))
    compiled = tm.compile(tm.grad(loss))((a, b))
    np.testing.assert_allclose(compiled[1].weight.detach().numpy(), first.weight.detach().numpy())
    w = tm.tensor(W)
    plain = tm.grad(lambda t: (t["a"] * t["b"] ** 2).sum())({"a": w, "b": w})
    assert [plain["a"].tolist(), plain["b"].tolist()] == [[1.0, 4.0], [2.0, 8.0]]


def test_tangents_that_untie_are_refused():
    net = Tied()
    v = tm.tree_map(tm.ones_like, net)
    v.encoder.weight = tm.nn.Parameter(np.zeros((2, 2)))
    with pytest.raises(tm.ArgumentError, match="again"):
        tm.jvp(lambda n: n(X), (net,), (v,))
    with pytest.raises(tm.ShapeError, match="again"):
        tm.tree_map(lambda a, b: a, net, v)


# -- modules ------------------------------------------------------------------------------------------------------


def network():
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    net[2].bias.requires_grad_(False)
    return net


PATHS = ["0.weight", "0.bias", "2.weight", "2.bias"]


def mapped(net):
    return tm.tree_map(lambda p: p.detach() * 2.0, net)


def from_arrays(net):
    return tm.tree_map(lambda p: np.ones(p.shape), net)


def updated(net):
    opt = tm.optim.SGD(lr=0.1)
    return opt.update(tm.grad(lambda n: n(X).sum())(net), opt.init(net), net)[0]


def compiled(net):
    return tm.compile(updated)(net)


def returned(net):
    return tm.value_and_grad(lambda n: (n(X).sum(), n), has_aux=True)(net)[0][1]


@pytest.mark.parametrize("make", [mapped, from_arrays, updated, compiled, returned])
def test_a_module_comes_back_as_a_network(make):
    new = make(network())
    assert isinstance(new, tm.nn.Sequential)
    assert [n for n, _ in new.named_parameters()] == PATHS
    assert [p.name for p in new.parameters()] == PATHS
    assert all(type(p) is tm.nn.Parameter and p.is_leaf for p in new.parameters()) or make is returned
    assert [p.requires_grad for p in new.parameters()] == [True, True, True, False] or make is returned
    assert list(new.state_dict()) == PATHS
    network().load_state_dict(new.state_dict())
    before = new.state_dict()
    opt = tm.optim.SGD(new, lr=0.1)
    new(X).sum().backward()
    opt.step()
    assert [np.array_equal(before[k], v) for k, v in new.state_dict().items()] == [False, False, False, True]


@pytest.mark.parametrize("make", [tm.stop_gradient, tm.grad(lambda n: n(X).sum()), tm.compile(tm.stop_gradient)])
def test_a_module_of_constants_or_gradients_has_parameters_that_learn_nothing(make):
    new = make(network().requires_grad_(False))
    assert [n for n, _ in new.named_parameters()] == PATHS == list(new.state_dict())
    assert not any(p.requires_grad for p in new.parameters())
    learned = make(network())
    assert [n for n, _ in learned.named_parameters()] == PATHS
    assert all(type(p) is tm.nn.Parameter for p in learned.parameters())
    assert all(p.shape == q.shape for p, q in zip(learned.parameters(), network().parameters(), strict=True))


def test_inside_a_transform_the_parameters_of_a_module_are_what_is_differentiated():
    net = network()

    def penalty(n):
        assert [name for name, _ in n.named_parameters()] == PATHS
        return sum((p**2).sum() for p in n.parameters())

    gradient = tm.grad(penalty)(net)
    for p, g in zip(net.parameters(), gradient.parameters(), strict=True):
        np.testing.assert_array_equal(g.detach().numpy(), 2 * p.detach().numpy())
    fast = tm.compile(tm.grad(penalty))(net)
    for p, g in zip(net.parameters(), fast.parameters(), strict=True):
        np.testing.assert_array_equal(g.detach().numpy(), 2 * p.detach().numpy())
    with pytest.raises(tm.NeedsDetach, match="state_dict"):
        tm.grad(lambda n: sum(v.sum() for v in n.state_dict().values()) + n(X).sum())(net)


def test_a_map_of_live_parameters_keeps_its_history():
    net = network()
    noisy = tm.tree_map(lambda p: p + 0.5, net)
    (sum((p**2).sum() for p in noisy.parameters())).backward()
    np.testing.assert_allclose(net[0].weight.grad.numpy(), 2 * (net[0].weight.detach().numpy() + 0.5))


def test_a_part_of_a_network_keeps_the_names_of_what_it_shares():
    net = network()
    assert tm.tree_map(lambda p: p, net[0]).weight is net[0].weight
    assert net[0].weight.name == "0.weight"
    assert tm.tree_map(lambda p: p.detach(), net[0]).weight.name == "weight"


def test_a_module_of_other_things_is_a_tree_still():
    net = network()
    shapes = tm.tree_map(lambda p: list(p.shape) and p.shape, net)
    assert shapes[0].weight == (3, 2)
    norms = tm.tree_map(lambda p: float(np.sum(p.detach().numpy() ** 2)), net)
    again = tm.tree_map(lambda p, n: p.detach() * 0 + n, net, norms)
    assert again[0].bias.tolist() == [norms[0].bias] * 3


def test_a_tensor_does_not_take_the_place_of_a_parameter_in_passing():
    net = network()
    with pytest.raises(tm.ArgumentError, match=r"weight is a Parameter.*no_grad"):
        net[0].weight = net[0].weight * 0.5
    assert list(net.state_dict()) == PATHS

    def masked(n):
        n[0].weight = n[0].weight * 0.5  # what a transform handed out is the function's own
        return n[0](X).sum()

    np.testing.assert_allclose(tm.grad(masked)(net)[0].weight.detach().numpy(), np.tile(0.5 * X.sum(axis=0), (3, 1)))


def test_a_network_may_be_made_of_what_is_being_differentiated():
    def hyper(w):
        layer = tm.nn.Linear(2, 1, rng=0)
        layer.weight = w.reshape(1, 2)
        return (layer(X) ** 2).sum()

    def overwritten(w):
        layer = tm.nn.Linear(2, 1, rng=0)
        layer.weight.data = w.reshape(1, 2)
        return layer(X).sum()

    w, b = np.array([0.5, 2.0]), tm.nn.Linear(2, 1, rng=0).bias.item()
    want = (2 * (X @ w + b)) @ X
    np.testing.assert_allclose(tm.grad(hyper)(w).detach().numpy(), want)
    np.testing.assert_allclose(tm.compile(tm.grad(hyper))(w).detach().numpy(), want)
    with pytest.raises(tm.NeedsDetach, match="data"):
        tm.grad(overwritten)(w)


def test_objects_that_answer_to_every_name_are_leaves_and_dicts_with_attributes_are_dicts():
    class Record(dict):
        def __getattr__(self, name):
            return self[name]  # KeyError, where Python expects AttributeError

    class Everything:
        def __getattr__(self, name):
            return Everything()

    record, thing = Record(w=X[0], k=2.0), Everything()
    g = tm.grad(lambda d: (d.w * d.k).sum())(record)
    assert type(g) is Record
    np.testing.assert_allclose(g["w"].numpy(), [2.0, 2.0])
    assert flatten([thing, Everything])[0] == [thing, Everything]
    f = tm.compile(lambda x: (x * record.k).sum())
    for k in (2.0, 5.0):
        record["k"] = thing.k = k
        assert f(X).item() == pytest.approx(k * X.sum())
        assert tm.compile(lambda x: (x * thing.k).sum())(X).item() == pytest.approx(k * X.sum())


@pytest.mark.parametrize("given", [[], [1.0], [1.0, 2.0, 3.0]])
def test_a_tree_is_put_together_of_as_many_leaves_as_it_has(given):
    _, structure = flatten({"a": 1.0, "b": [2.0, None]})
    with pytest.raises(tm.ShapeError, match=f"a tree of 2 leaves was given {len(given)}"):
        unflatten(structure, given)
    assert unflatten(structure, [3.0, 4.0]) == {"a": 3.0, "b": [4.0, None]}
