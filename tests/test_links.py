"""What leads to the parameters of a module, beside its attributes: it leads to those of the copy in a transform."""

import collections
import dataclasses
import functools
import math
import pickle
import threading
import types
import weakref

import numpy as np
import pytest

import tinygrad_math as tm

X = np.array([1.0, 2.0, 3.0])


@dataclasses.dataclass
class Holder:
    """A dataclass with a Parameter, and an attribute that is computed of it."""

    w: object

    def __post_init__(self):
        self.half = self.w * 0.5

    def scale(self, x):
        return (self.half + self.w * 0.5) * x


class Helper:
    def __init__(self, m):
        self.m = m

    def scale(self, x):
        return self.m.w * x


class Slotted:
    __slots__ = ("m",)

    def __init__(self, m):
        self.m = m

    def scale(self, x):
        return self.m.w * x


def by_default(s):
    def scale(x, w=s.w, *, one=1.0):
        return w * x * one

    return scale


def by_reference(s):
    r = weakref.ref(s)
    return lambda x: r().scale(x)


def by_keyword_default(s):
    def scale(x, *, w=s.w):
        return w * x

    return scale


def recursive(s):
    def scale(x, depth=2):
        return scale(x, depth - 1) if depth else s.w * x

    return scale


Pair = collections.namedtuple("Pair", "first second")


def by_proxy(s):
    r = weakref.proxy(s)
    return lambda x: r.scale(x)


WAYS = {
    "a bound method": lambda s: s.scale,
    "a method through a class": lambda s: types.MethodType(Net.scale, s),
    "a partial": lambda s: functools.partial(s.scale),
    "a partial with the parameter": lambda s: functools.partial(np.multiply, s.w),
    "a function over the module": lambda s: lambda x: s.scale(x),
    "a default": by_default,
    "a keyword's default": by_keyword_default,
    "a function that calls itself": recursive,
    "a method of an object that holds it": lambda s: Helper(s).scale,
    "an object with slots": lambda s: Slotted(s).scale,
    "a namespace": lambda s: types.SimpleNamespace(f=s.scale).f,
    "a weak reference": by_reference,
    "a weak proxy": by_proxy,
    "a dataclass": lambda s: Holder(s.w).scale,
    "compile": lambda s: tm.compile(s.scale),
    "checkpoint": lambda s: tm.checkpoint(s.scale),
    "vmap": lambda s: tm.vmap(s.dot_free, (None, 0)).__get__(s.w),
    "a derivative": lambda s: tm.grad(lambda x: (s.w * x * x).sum() / 2),
    "a method of C": lambda s: lambda x, get=[s.w].__getitem__: get(0) * x,
}
PLACES = {
    "": (lambda f: f, lambda a: a),
    "dict": (lambda f: {"a": f}, lambda a: a["a"]),
    "list": (lambda f: [f], lambda a: a[0]),
    "named tuple": (lambda f: Pair(f, 1), lambda a: a.first),
    "deque": (lambda f: collections.deque([f], 3), lambda a: a[0]),
    "set": (lambda f: {f}, lambda a: next(iter(a))),
    "proxy": (lambda f: types.MappingProxyType({"a": f}), lambda a: a["a"]),
    "defaultdict": (lambda f: collections.defaultdict(lambda: f), lambda a: a.default_factory()),
    "namespace": (lambda f: types.SimpleNamespace(f=f), lambda a: a.f),
}


class Net(tm.nn.Module):
    def __init__(self, way=WAYS["a bound method"], place=PLACES[""]):
        super().__init__()
        self.w = tm.nn.Parameter(np.ones(3))
        self.act = place[0](way(self))
        self.taken = place[1]

    def scale(self, x):
        return self.w * x

    @staticmethod
    def dot_free(w, x):
        return w * x

    def forward(self, x):
        return self.taken(self.act)(x).sum()


def loss(m):
    return (m(X) - 3) ** 2


def check(m):
    """Closed forms: m(X) = w·x = 6 at ones, so that the loss is 9, its gradient 6 x, its Hessian 2 x x'."""
    assert tm.grad(loss)(m).w.tolist() == (6 * X).tolist()
    assert tm.tree_map(lambda p: p * 3, m)(X).item() == 18
    assert m.with_tensors({"w": 3 * np.ones(3)})(X).item() == 18
    assert m(X).item() == 6
    assert m.w.tolist() == [1, 1, 1]


@pytest.mark.parametrize("way", [w for w in WAYS if w != "vmap"])
def test_what_leads_to_a_parameter_leads_to_that_of_the_copy(way):
    check(Net(WAYS[way]))


@pytest.mark.parametrize("place", PLACES)
def test_containers_of_what_leads_there_are_made_anew(place):
    check(Net(place=PLACES[place]))


def test_every_transform_differentiates_through_a_bound_method():
    m, ones = Net(), tm.tree_map(tm.ones_like, Net())
    value, pullback = tm.vjp(loss, m)
    assert value.item() == 9
    assert pullback(1.0)[0].w.tolist() == (6 * X).tolist()
    assert tm.jvp(loss, (m,), (ones,))[1].item() == 36
    assert tm.linearize(loss, m)[1](ones).item() == 36
    assert tm.hvp(loss, m, ones).w.tolist() == (12 * X).tolist()
    assert tm.hessian(loss)(m).w.w.tolist() == (2 * np.outer(X, X)).tolist()
    assert tm.jacfwd(loss)(m).w.tolist() == tm.jacrev(loss)(m).w.tolist() == (6 * X).tolist()
    assert tm.ggnvp(lambda m: m(X), lambda y: y**2, m, ones).w.tolist() == (12 * X).tolist()
    assert tm.compile(tm.grad(loss))(m).w.tolist() == (6 * X).tolist()
    assert tm.checkpoint(loss)(m).item() == 9
    assert np.allclose(tm.curvature.HessianOperator(loss, m) @ np.ones(3), 12 * X)
    assert tm.optim.minimize(loss, m).x(X).item() == pytest.approx(3)
    doubled = tm.tree_map(lambda p: np.stack([p.detach().numpy(), 2 * np.ones(3)]), m)
    assert tm.vmap(lambda m: m(X))(doubled).tolist() == [6, 12]


def test_pure_updates_of_a_module_with_a_bound_method_learn():
    m, opt = Net(), tm.optim.SGD(lr=0.01)
    state = opt.init(m)
    for _ in range(30):
        m, state = opt.update(tm.grad(loss)(m), state, m)
    assert m(X).item() == pytest.approx(3, abs=1e-3)


class Inner(tm.nn.Module):
    def __init__(self, above):
        super().__init__()
        self.outer = Helper(above) if above is not None else None

    def forward(self, x):
        return self.outer.scale(x)


def test_a_part_may_lead_to_the_whole_and_the_copies_lead_to_each_other():
    m = Net()
    m.part = Inner(m)
    m.act = m.part.forward
    check(m)
    twin = tm.tree_map(lambda p: p, m)
    assert twin.part.outer.m is twin
    assert twin.act.__self__ is twin.part
    assert m.part.outer.m is m


def test_what_is_shared_stays_one_and_what_leads_nowhere_is_the_same():
    m = Net()
    m.helper = m.again = Helper(m)
    m.log, m.f = [], np.tanh
    twin = tm.tree_map(lambda p: p, m)
    assert twin.helper is twin.again
    assert twin.helper is not m.helper
    assert twin.log is m.log
    assert twin.f is m.f


def test_a_function_keeps_its_name_and_shares_cells_that_lead_nowhere():
    m, calls = Net(), 0

    def named(x):
        nonlocal calls
        calls += 1
        return m.w * x

    m.act = named
    twin = tm.tree_map(lambda p: 2 * p, m)
    assert twin(X).item() == 12
    assert twin.act.__name__ == "named"
    assert calls == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda m: functools.lru_cache(m.scale), "_lru_cache_wrapper"),
        (lambda m: (x for x in [m.w]), "generator"),
        (lambda m: tm.optim.SGD(m, lr=0.1), "SGD.*keep it beside what it trains"),
        (lambda m: {"deep": [functools.lru_cache(m.scale)]}, "_lru_cache_wrapper"),
    ],
)
def test_what_nobody_can_make_anew_is_refused_by_the_name_of_the_attribute(make, told):
    m = Net()
    m.kept = make(m)
    with pytest.raises(tm.errors.ArgumentError, match=rf"Net\.kept leads to .*{told}"):
        tm.grad(loss)(m)
    with pytest.raises(tm.errors.ArgumentError, match=told):
        m.with_tensors({"w": X})
    m.kept = make(Net())  # of another network: nothing of this one leads there
    assert tm.grad(loss)(m).w.tolist() == (6 * X).tolist()


def test_each_argument_is_led_to_its_own_copy():
    student, teacher = Net(), Net()
    student.teacher = teacher.scale
    f = lambda s, t: (s(X) * s.teacher(X)).sum()  # noqa: E731  (6 * (1 + 2 + 3), by either)
    g, h = tm.grad(f, argnums=(0, 1))(student, teacher)
    assert g.w.tolist() == (6 * X).tolist()
    assert h.w.tolist() == (6 * X).tolist()
    g, h = tm.grad(lambda a, b: a(X) * 2 + b(X) * 5, argnums=(0, 1))(student, student)
    assert g.w.tolist() == (2 * X).tolist()
    assert h.w.tolist() == (5 * X).tolist()


def test_two_threads_transform_one_module_at_once():
    m, found = Net(), []
    run = lambda: found.append(tm.grad(loss)(m).w.tolist())  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [(6 * X).tolist()] * 4


def test_a_hook_over_the_network_is_one_over_the_copy():
    m = tm.nn.Sequential(tm.nn.Linear(3, 1, bias=False))
    m[0].weight = tm.nn.Parameter(np.ones((1, 3)))
    m.register_forward_hook(lambda module, args, y: y * m[0].weight.sum())
    assert m(X).item() == 18
    assert tm.grad(lambda m: m(X).sum())(m)[0].weight.tolist() == [(3 * X + 6).tolist()]


# -- one module in two places -----------------------------------------------------------------------------
class Stateful(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.k = tm.nn.Parameter(np.ones(3)), 1.0

    def forward(self, x):
        return self.w * x * self.k


class Twice(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Stateful()
        self.layers = tm.nn.ModuleList([self.a])
        self.weights = self.same = [tm.nn.Parameter(1.0)]

    def forward(self, x):
        self.a.k = 2.0
        return self.layers[0](x).sum()


def test_a_module_under_two_names_is_one_module_in_the_copy():
    m = Twice()
    assert tm.value_and_grad(lambda m: m(np.ones(3)))(m)[0].item() == 6
    twin = tm.tree_map(lambda p: p, m)
    assert twin.layers[0] is twin.a
    assert twin.weights is twin.same
    assert twin.weights is not m.weights
    assert len(list(twin.modules())) == len(list(m.modules()))
    twin = m.with_tensors({"a.w": X})
    assert twin.layers[0] is twin.a
    assert twin.a.w.tolist() == X.tolist()


@pytest.mark.parametrize("over", [False, True], ids=["plain parts", "a function over the network"])
def test_copies_share_what_leads_nowhere_and_keep_what_is_one(over):
    m = tm.nn.Module()
    m.first = tm.nn.Linear(3, 2, rng=0)
    m.again, m.pair, m.table = m.first, [m.first, m.first], {"a": (m.first, 1)}
    m.sizes, m.draws, m.squash, m.frozen = [3, 2], np.random.default_rng(0), math.tanh, [tm.tensor(X)]
    if over:
        m.kept = lambda x: m.first(x)
    weight = tm.ones((2, 3))
    twin = m.with_tensors({"first.weight": weight})
    assert twin.first is twin.again is twin.pair[0] is twin.pair[1] is twin.table["a"][0]
    assert twin.first is not m.first
    assert twin.first.weight is weight
    assert m.first.weight is not weight
    assert twin.first.bias is m.first.bias
    assert [twin.sizes, twin.draws, twin.squash] == [m.sizes, m.draws, m.squash]
    assert twin.sizes is m.sizes
    assert twin.frozen[0] is m.frozen[0]
    if over:
        assert twin.kept(X).tolist() == twin.first(X).tolist() != m.first(X).tolist()


def test_a_module_without_parameters_in_two_places_has_one_mode():
    m = tm.nn.Module()
    m.drop = tm.nn.Dropout(0.5)
    m.layers = tm.nn.ModuleList([m.drop])
    twin = tm.tree_map(lambda p: p, m)
    twin.drop.eval()
    assert not twin.layers[0].training
    assert m.drop.training


def test_one_leaf_for_each_place_along_two_axes_makes_two_modules():
    m = Twice()
    stacked = tm.tree_map(lambda p: np.stack([np.ones(p.shape), 2 * np.ones(p.shape)]), m)
    assert tm.vmap(lambda m: m.layers[0].w.sum() + m.a.w.sum())(stacked).tolist() == [6, 12]


# -- containers of parameters -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [
        lambda p: {"w": p},
        lambda p: collections.OrderedDict(w=p),
        lambda p: collections.defaultdict(list, w=p),
        lambda p: Pair(p, p),
        lambda p: type("Rows", (list,), {})([p]),
        lambda p: type("Table", (dict,), {})(w=p),
        lambda p: ([{"w": p}],),
    ],
)
def test_with_tensors_puts_them_into_every_container_that_named_parameters_opens(make):
    m = tm.nn.Module()
    m.c = make(tm.nn.Parameter(np.ones(2)))
    ((name, _),) = m.named_parameters()
    twin = m.with_tensors({name: 3 * np.ones(2)})
    assert type(twin.c) is type(m.c)
    assert {tuple(p.tolist()) for p in tm.tree_leaves(twin.c)} == {(3, 3)}
    assert next(m.parameters()).tolist() == [1, 1]
    total = lambda w: sum(p.sum() for p in tm.tree_leaves(m.with_tensors({name: w}).c))  # noqa: E731
    assert tm.grad(total)(np.ones(2)).tolist() == [float(len(tm.tree_leaves(twin.c)))] * 2


# -- attributes that a dataclass computes of its fields -----------------------------------------------------
@dataclasses.dataclass
class Normal:
    loc: object
    scale: object

    def __post_init__(self):
        self.var = self.scale**2
        self.f = self.nll
        self.g = lambda x: ((x - self.loc) ** 2 / self.var).sum()

    def nll(self, x):
        return ((x - self.loc) ** 2 / self.var).sum()


@dataclasses.dataclass(frozen=True)
class Frozen:
    scale: object
    var: object = dataclasses.field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "var", self.scale**2)


@dataclasses.dataclass(slots=True)
class InSlots:
    scale: object
    var: object = dataclasses.field(init=False, default=0.0)

    def __post_init__(self):
        self.var = self.scale**2


Y = np.array([1.0, 2.0])


@pytest.mark.parametrize("call", [Normal.nll, lambda p, x: p.f(x), lambda p, x: p.g(x)])
def test_derived_attributes_are_differentiated_and_follow_the_leaves(call):
    p, f = Normal(0.0, 2.0), lambda p: call(p, Y)  # (1 + 4) / scale²
    assert tm.grad(f)(p).scale.item() == -2 * 5 / 8
    assert tm.jvp(f, (p,), (Normal(0.0, 1.0),))[1].item() == -2 * 5 / 8
    assert tm.hessian(f)(p).scale.scale.item() == pytest.approx(6 * 5 / 16)
    assert tm.compile(tm.grad(f))(p).scale.item() == -2 * 5 / 8
    assert float(f(tm.tree_map(lambda a: a * 3.0, p))) == pytest.approx(5 / 36)
    assert tm.grad(lambda s: f(tm.tree_map(lambda a: a * s, p)))(1.0).item() == pytest.approx(-2 * 5 / 4)


@pytest.mark.parametrize("way", [lambda f: f, tm.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("kind", [Frozen, InSlots])
def test_each_row_of_a_result_has_its_own_derived_attributes(kind, way):
    def total(s):
        return (s.scale * np.array([1.0, 0.0, 3.0])).sum() + (s.var * s.var).sum()

    def steps(x):
        return tm.scan(lambda c, a: (c + a, kind(2.0 * c)), 0.0, x)[1]

    rows = tm.vmap(lambda c: kind(c * 2.0))
    table = tm.vmap(rows)
    x = np.array([1.0, 2.0, 3.0])
    assert way(rows)(x).var.tolist() == [4.0, 16.0, 36.0]
    assert way(steps)(x).var.tolist() == [0.0, 4.0, 36.0]
    np.testing.assert_array_equal(way(table)(np.outer(x, x)).var, 4 * np.outer(x, x) ** 2)
    assert way(tm.grad(lambda x: total(rows(x))))(x).tolist() == [2.0 + 64, 64.0 * 8, 6.0 + 64 * 27]  # of (4 x²)²
    assert way(tm.grad(lambda x: total(steps(x))))(x).tolist() == [64.0 * (1 + 27) + 6, 64.0 * 27 + 6, 0.0]
    assert way(lambda x: tm.scan(lambda c, a: (c, kind(a)), 0.0, x)[1])(x[:0]).var.shape == (0,)


def test_derivatives_keep_derived_attributes_without_the_history_of_a_transform():
    def f(s):  # scale³
        return s.var * s.scale

    p = InSlots(2.0)
    gradient, along = tm.jvp(tm.grad(f), (p,), (p,))
    found = [gradient, along, tm.hvp(f, p, p), tm.hessian(f)(p), *tm.jvp(lambda s: InSlots(s.scale), (p,), (p,))]
    found += [tm.linearize(lambda s: InSlots(s.scale), p)[1](p), *tm.jet(lambda s: InSlots(s.scale), p, p, 1)]
    assert [float(s.var) for s in found] == [4.0] * len(found)
    assert not any(s.var.requires_grad for s in found)
    assert (gradient.scale.item(), along.scale.item()) == (12.0, 24.0)
    assert tm.grad(lambda s: tm.grad(f)(s).var ** 2)(p).scale.item() == 32.0  # 4 scale³: an outer one follows it


@pytest.mark.parametrize("way", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_transforms_of_gradients_pass_over_what_the_gradient_keeps_of_the_values(way):
    """The gradient of 5 / scale² has the var of its values, which is no leaf: -10 / scale³, and 30 / scale⁴ of it."""
    g = tm.grad(lambda p: p.nll(Y))
    p, t = Normal(0.0, 2.0), Normal(0.0, 1.0)
    assert way(lambda p: tm.jvp(g, (p,), (t,))[1])(p).scale.item() == 30 / 16
    assert way(lambda s: tm.jvp(lambda s: g(Normal(0.0, s)), (s,), (1.0,))[1].scale)(2.0).item() == 30 / 16
    assert way(tm.hessian(lambda p: p.nll(Y)))(p).scale.scale.item() == pytest.approx(30 / 16)
    many = way(tm.vmap(g))(Normal(np.zeros(2), np.array([1.0, 2.0])))
    assert many.scale.tolist() == [-10, -1.25]


def test_a_compiled_gradient_has_what_the_values_of_the_call_computed():
    f, second = tm.compile(tm.grad(lambda p: p.nll(Y))), tm.compile(tm.hessian(lambda p: p.nll(Y)))
    for scale in (2.0, 3.0):
        p = Normal(0.0, scale)
        assert (float(f(p).var), f(p).f.__self__ is p) == (scale**2, True)
        assert float(second(p).scale.var) == scale**2


BACKENDS = [lambda f: f, tm.compile, lambda f: tm.compile(f, backend="native")]


@pytest.mark.parametrize("way", BACKENDS, ids=["eager", "numpy", "native"])
@pytest.mark.parametrize("kind", [Frozen, InSlots, lambda s: Normal(0.0, s)])
def test_a_gradient_of_what_was_made_inside_has_what_the_values_computed(way, kind):
    """The derivative of var² by the scale is 4 scale³; its own var stays the scale²."""
    f = way(lambda s: tm.grad(lambda p: p.var**2)(kind(s)))
    for scale in (2.0, 3.0):
        assert (f(scale).scale.item(), float(f(scale).var)) == (4 * scale**3, scale**2)
        assert tm.grad(lambda s: f(s).var)(scale).item() == 2 * scale
        assert tm.jvp(lambda s: f(s).scale, (scale,), (1.0,))[1].item() == 12 * scale**2
    many = way(tm.vmap(lambda s: tm.grad(lambda p: p.var**2)(kind(s))))(np.array([2.0, 3.0]))
    assert (many.scale.tolist(), many.var.tolist()) == ([32, 108], [4, 9])


@pytest.mark.parametrize("kind", [Frozen, InSlots])
def test_fields_that_the_constructor_does_not_take_are_computed_anew(kind):
    assert tm.grad(lambda p: p.var)(kind(3.0)).scale.item() == 6
    assert float(tm.tree_map(lambda a: 2 * a, kind(3.0)).var) == 36


def test_one_program_serves_all_leaves_of_a_dataclass():
    f = tm.compile(lambda p: p.nll(Y))
    assert [f(Normal(0.0, s)).item() for s in (1.0, 2.0)] == [5, 1.25]


def test_what_was_set_later_is_kept_beside_what_is_computed():
    p = Normal(0.0, 2.0)
    p.var, p.later = 5.0, "later"
    twin = tm.tree_map(lambda a: 3 * a, p)
    assert twin.var == 5.0
    assert twin.later == "later"
    assert twin.f.__self__ is twin
    assert tm.grad(lambda p: p.nll(Y))(p).scale.item() == 0


@dataclasses.dataclass
class Angle:
    a: object

    def __post_init__(self):
        self.a = np.deg2rad(self.a)
        self.cos = np.cos(self.a)


@dataclasses.dataclass
class Begun:
    a: object
    start: dataclasses.InitVar[float]

    def __post_init__(self, start):
        self.sum = self.a + start


@dataclasses.dataclass
class Positive:
    a: object

    def __post_init__(self):
        if self.a <= 0:
            raise ValueError("a is positive")
        self.root = self.a**0.5


def test_what_cannot_be_computed_again_is_refused_by_name():
    with pytest.raises(tm.errors.ArgumentError, match=r"Angle\.__post_init__ changes the field a"):
        tm.grad(lambda p: p.cos)(Angle(60.0))
    with pytest.raises(tm.errors.ArgumentError, match=r"Begun\.sum may depend on the fields .* InitVar"):
        tm.grad(lambda p: p.sum)(Begun(1.0, 2.0))
    with pytest.raises(ValueError, match="a is positive") as caught:
        tm.tree_map(lambda a: -a, Positive(4.0))
    assert "Positive is made of other leaves; __post_init__ computes root" in caught.value.__cause__.__notes__[0]
    assert tm.grad(lambda p: -p.root)(Positive(4.0)).a.item() == -0.25  # a gradient may be what no field may


# -- what a function binds ------------------------------------------------------------------------------------
class Counting(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.n, self.hist, self.last = tm.nn.Parameter(np.ones(3)), 0, [], None
        self.part = Stateful()

    def forward(self, x):
        self.n += 1
        self.hist.append(self.n)
        self.part.k = self.n
        self.current = self.part
        self.last = self.w * x
        self.seen = float(np.sum(x))
        return self.last.sum()


@pytest.mark.parametrize(
    "transform",
    [
        lambda f, m: tm.grad(f)(m),
        lambda f, m: tm.vjp(f, m),
        lambda f, m: tm.jvp(f, (m,), (tm.tree_map(tm.ones_like, m),)),
        lambda f, m: tm.hvp(f, m, tm.tree_map(tm.ones_like, m)),
        lambda f, m: tm.value_and_grad(f)(m),
        lambda f, m: tm.grad(lambda w: w * tm.grad(f)(m).w.sum())(1.0),
        lambda f, m: tm.grad(lambda m: tm.grad(f)(m).w.sum())(m),
    ],
)
def test_what_a_module_binds_under_a_transform_is_bound_as_without_it(transform):
    m = Counting()
    for k in (1, 2, 3):
        transform(lambda m: m(X), m)
        assert m.n == m.part.k == k
        assert m.hist == [*range(1, k + 1)]
    assert m.seen == 6
    assert m.current is m.part
    assert m.last is None  # it would outlive the transform that it belongs to
    assert m.w.requires_grad
    assert m.w.tolist() == [1, 1, 1]


def test_a_helper_that_counts_counts_and_what_was_deleted_is_gone():
    m = Net()
    m.helper = helper = Helper(m)
    helper.count = m.gone = 0

    def f(m):
        m.helper.count += 1
        m.__dict__.pop("gone", None)
        return loss(m)

    tm.grad(f)(m)
    tm.grad(f)(m)
    assert m.helper is helper
    assert helper.count == 2
    assert helper.m is m
    assert not hasattr(m, "gone")


def test_a_function_that_fails_binds_nothing_and_a_program_refuses():
    m = Counting()
    with pytest.raises(ZeroDivisionError):
        tm.grad(lambda m: m(X) / (1 // 0))(m)
    assert m.n == 0
    with pytest.raises(tm.errors.TraceError, match=r"writes to its argument m\."):
        tm.compile(tm.grad(lambda m: m(X)))(m)


def test_a_structure_with_links_can_be_pickled():
    m = Net()
    del m.taken
    m.act = m.scale
    leaves, structure = tm.tree_flatten(m)
    twin = tm.tree_unflatten(pickle.loads(pickle.dumps(structure)), [3 * p for p in leaves])
    assert twin.act(X).tolist() == (3 * X).tolist()
    computed = tm.tree_structure(Frozen(np.ones(2)))
    assert pickle.loads(pickle.dumps(computed)).extra.made == computed.extra.made == {"var"}


# -- what a function puts into containers that lead to the module ---------------------------------------------
class Logging(Net):
    """A module whose containers lead to it, so that a transform makes them anew."""

    def __init__(self):
        super().__init__()
        self.log, self.counts, self.seen = [self.scale], {"f": self.scale}, {self.scale}
        self.queue, self.order = collections.deque([self.scale], 3), collections.OrderedDict(f=self.scale, g=0)
        self.table = np.array([self.scale, None], object)
        self.view = types.MappingProxyType(self.counts)
        best = self

        def remember(value):
            nonlocal best
            best = [self, value]

        self.remember, self.best = remember, lambda: best

    def forward(self, x):
        self.log.append(len(self.log))
        self.counts["n"] = self.counts.get("n", 0) + 1
        assert self.view["n"] == self.counts["n"]
        self.seen.add(5)
        self.queue.appendleft(7)
        self.order.move_to_end("f")
        self.table[1] = [self]
        self.remember("a")
        return super().forward(x)

    def contents(self):
        return {
            "log": self.log[1:],
            "counts": [*self.counts, self.counts["n"]],
            "seen": [len(self.seen), 5 in self.seen],
            "queue": [*self.queue][:-1],
            "order": [*self.order],
            "table": self.table[1][0] is self,
            "best": self.best()[0] is self,
            "value": self.best()[1],
            "whose": {f.__self__ is self for f in (self.log[0], self.queue[-1], self.order["f"], self.table[0])},
        }


@pytest.mark.parametrize(
    "transform",
    [
        lambda m: tm.grad(lambda m: m(X))(m),
        lambda m: tm.jvp(lambda m: m(X), (m,), (tm.tree_map(tm.ones_like, m),)),
        lambda m: tm.grad(lambda t: t["net"](X))({"net": m}),
        lambda m: tm.vmap(lambda m, x: m(x), in_axes=(None, 0))(m, X[None]),
        lambda m: tm.hessian(lambda m: m(X) ** 2)(m),
    ],
)
def test_what_is_put_into_a_container_that_leads_to_the_module_is_there_as_without_a_transform(transform):
    m, plain = Logging(), Logging()
    for _ in range(2):
        transform(m)
        plain(X)
        assert m.contents() == plain.contents()
    assert m.contents()["counts"] == ["f", "n", 2]


class Remembering:
    __slots__ = ("m", "n", "past")

    def __init__(self, m):
        self.m, self.n, self.past = m, 0, [m]

    def __call__(self, x):
        self.n += 1
        self.past.append(self.n)
        self.past.append(self.m.w)
        self.past.append((self.m.w * x).sum())
        return self.m.w * x


def test_a_helper_with_slots_counts_and_what_would_outlive_the_transform_is_left_out():
    m = Net()
    m.act = helper = Remembering(m)
    m.helpers = [helper]
    tm.grad(loss)(m)
    tm.grad(loss)(m)
    assert m.act is helper is m.helpers[0]
    assert helper.n == 2
    assert [type(p) for p in helper.past] == [Net, int, tm.nn.Parameter, int, tm.nn.Parameter]
    assert helper.past[0] is m
    assert helper.past[2] is m.w


def test_what_a_vectorized_function_binds_on_a_shared_module_is_bound_once_for_all_examples():
    class Shared(Counting):
        def forward(self, x):
            y = super().forward(np.ones(3))
            self.last = x
            return y * x[0]

    m = Shared()
    y = tm.vmap(lambda m, x: m(x), in_axes=(None, 0))(m, np.ones((4, 3)))
    assert y.tolist() == [3.0] * 4
    assert (m.n, m.part.k, m.hist, m.last) == (1, 1, [1], None)
    with pytest.raises(ZeroDivisionError):
        tm.vmap(lambda m, x: m(x) / (1 // 0), in_axes=(None, 0))(m, np.ones((4, 3)))
    assert m.n == 1


def test_items_of_an_argument_are_variables_and_stay_as_they_are():
    def f(t):
        t["more"] = t["w"].pop()
        return (t["more"] ** 2).sum()

    tree = {"w": [np.ones(2)]}
    for _ in range(2):
        assert tm.grad(f)(tree)["w"][0].tolist() == [2, 2]
    assert list(tree) == ["w"]
    assert len(tree["w"]) == 1


# -- weak proxies -----------------------------------------------------------------------------------------------
class Below(tm.nn.Module):
    """A part that knows the whole by a weak proxy."""

    def __init__(self, whole):
        super().__init__()
        self.b, self.whole, self.wholes = tm.nn.Parameter(np.ones(3)), weakref.proxy(whole), [weakref.proxy(whole)]

    def forward(self, x):
        return self.whole.w * self.wholes[0].w * x + self.b


class Above(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = tm.nn.Parameter(2 * np.ones(3))
        self.below = Below(self)
        self.again = weakref.proxy(self.below)

    def forward(self, x):
        return (self.below(x) + self.again(x)).sum()


@pytest.mark.parametrize("way", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_a_weak_proxy_of_the_module_leads_to_the_copy(way):
    """2 (w² x + b): its derivatives are 4 w x and 2."""
    m = Above()
    gradient = way(tm.grad(lambda m: m(X)))(m)
    assert gradient.w.tolist() == (8 * X).tolist()
    assert gradient.below.b.tolist() == [2, 2, 2]
    twin = way(lambda m: tm.tree_map(lambda p: p * 2, m))(m)
    assert twin.below.whole.w is twin.w
    assert twin(X).item() == (2 * (16 * X + 2)).sum()


def test_what_a_weak_proxy_stands_for_belongs_to_others():
    m = Above()
    assert [name for name, _ in m.named_parameters()] == ["w", "below.b"]
    assert [name for name, _ in m.named_modules()] == ["", "below"]
    assert "whole" not in repr(m)
    assert m.w.name == "w"
    m.part = weakref.proxy(gone := Above())
    del gone
    for way in (lambda f: f, tm.compile):
        assert way(tm.grad(lambda m: m(X)))(m).w.tolist() == (8 * X).tolist()
    assert tm.compile(m)(X).item() == m(X).item()
