"""What a function computes and puts beside the leaves of a tree, where no transform follows it, is refused by name."""

import dataclasses

import numpy as np
import pytest

import tinygrad_math as tm

X = np.array([1.0, 2.0])


@dataclasses.dataclass
class Beside:
    w: object
    total: object = dataclasses.field(init=False, default=0.0)


@dataclasses.dataclass
class Within:
    w: object
    total: object = 0.0


class Registry(dict):
    total = 0.0


def registry(w, total=0.0):
    found = Registry(w=w)
    found.total = total
    return found


def beside(w, total=0.0):
    found = Beside(w)
    found.total = total
    return found


def listed(w, total=0.0):
    found = Registry(w=w)
    found.log = [total]
    return found


KINDS = {
    "a field that the constructor does not take": beside,
    "an attribute of a dict": registry,
    "a list among the attributes": listed,
}
ONCE = {
    "grad": lambda f: tm.vjp(f, X),
    "jvp": lambda f: tm.jvp(f, (X,), (X,)),
    "linearize": lambda f: tm.linearize(f, X),
    "jacobian": lambda f: tm.jacobian(f)(X),
    "jet": lambda f: tm.jet(f, X, X, 2),
    "vmap": lambda f: tm.vmap(f)(np.ones((3, 2))),
    "vmap of grad": lambda f: tm.vmap(lambda x: tm.vjp(f, x)[0])(np.ones((3, 2))),
    "grad of vmap": lambda f: tm.vjp(lambda x: tm.vmap(f)(x), np.ones((3, 2))),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("way", ONCE)
def test_a_result_beside_the_leaves_is_refused_by_name(make, way):
    with pytest.raises(tm.ArgumentError, match=r"\.(total|log), computed in it, .* field that the constructor takes"):
        ONCE[way](lambda x: make(2.0 * x, (x * x).sum()))


def test_a_constant_beside_the_leaves_stays_there():
    out, tangent = tm.jvp(lambda x: beside(2.0 * x, 7.0), (X,), (X,))
    assert (out.total, tangent.total) == (7.0, 7.0)
    assert tm.vmap(lambda x: beside(2.0 * x, 7.0))(np.ones((3, 2))).total == 7.0
    assert tm.vjp(lambda x: beside(2.0 * x, tm.stop_gradient(x).sum()), X)[0].total.item() == 3.0


def test_what_an_outer_transform_put_there_is_followed_by_that_one():
    def f(a):
        return tm.jvp(lambda x: beside(x * x, a * a), (X,), (X,))[0].total

    assert tm.grad(f)(3.0).item() == 6.0
    np.testing.assert_allclose(tm.vmap(lambda a: tm.vmap(lambda x: beside(x, a * a))(X).total)(X).numpy(), X * X)


LOOPS = {
    "scan": lambda step, c: tm.scan(lambda c, x: (step(c), None), c, np.ones(3))[0],
    "fori_loop": lambda step, c: tm.fori_loop(3, lambda i, c: step(c), c),
    "while_loop": lambda step, c: tm.while_loop(lambda c: c["w"][0] < 4.0, step, c, max_steps=9),
}
WAYS = {
    "eager": lambda f: f(X),
    "compiled": lambda f: tm.compile(f)(X),
    "differentiated": lambda f: tm.grad(lambda x: f(x)["w"].sum())(X),
    "vectorised": lambda f: tm.vmap(f)(np.array([X, X])),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("counts", [True, False], ids=["a count", "what is computed"])
def test_a_step_that_changes_what_lies_beside_the_carry_is_refused_by_name(loop, way, counts):
    def step(c):
        return registry(c["w"] + 1.0, c.total + (1 if counts else c["w"].sum()))

    with pytest.raises(tm.ArgumentError, match=rf"{loop}: a step changes Registry\.total of the carry"):
        WAYS[way](lambda x: LOOPS[loop](step, registry(x)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_step_that_has_it_as_a_leaf_is_taken(loop, way):
    def flat(c):
        return Registry(w=c["w"] + 1.0, total=c["total"] + c["w"].sum())

    def run(x):
        return LOOPS[loop](flat, Registry(w=x, total=np.float64(0.0)))

    out = WAYS[way](run)
    if way == "differentiated":
        np.testing.assert_allclose(out.numpy(), np.ones(2))
    else:
        np.testing.assert_allclose(np.asarray(out["total"]), 3 * X.sum() + 2 * (0 + 1 + 2))


def test_what_a_step_gives_beside_the_leaves_of_y_is_refused_where_it_differs():
    with pytest.raises(tm.ArgumentError, match=r"scan: a step changes Registry\.total of y"):
        tm.scan(lambda c, x: (c + x, registry(c, c * x)), 0.0, X)
    counts = iter(range(9))
    with pytest.raises(tm.ArgumentError, match=r"scan: a step changes Registry\.total of y"):
        tm.scan(lambda c, x: (c + x, registry(c, next(counts))), 0.0, X)
    assert tm.scan(lambda c, x: (c + x, registry(c, 7)), 0.0, X)[1].total == 7


@dataclasses.dataclass
class Noted:
    w: object

    def __post_init__(self):
        self.notes = [self.w * 2.0, "twice"]


@pytest.mark.parametrize(
    "rows",
    [
        lambda: tm.vmap(Noted)(X),
        lambda: tm.vmap(tm.grad(lambda n: n.notes[0] * n.w))(Noted(X)),
        lambda: tm.scan(lambda c, x: (c, Noted(x)), 0.0, X),
    ],
    ids=["vmap", "vmap of grad", "scan"],
)
def test_rows_of_a_computed_field_that_holds_more_than_numbers_are_refused_by_its_name(rows):
    with pytest.raises(tm.ArgumentError, match=r"Noted\.notes, computed of the leaves, .* holds 'twice'"):
        rows()
