"""What a compiled function returns of its arguments is the caller's own: what can change beside children."""

import dataclasses

import numpy as np
import pytest

import tinygrad_math as tm


class Registry(dict):
    pass


@dataclasses.dataclass
class State:
    w: object
    log: list = dataclasses.field(default_factory=list, init=False)


class Custom:
    def __init__(self, w, settings):
        self.w, self.settings = w, settings

    def tree_flatten(self):
        return ("w",), (self.w,), (self.settings, "fixed")

    @classmethod
    def tree_unflatten(cls, keys, children, extra):
        return cls(children[0], extra[0])


class Net(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = tm.nn.Linear(3, 2, rng=0)
        self.layer.seen = [[]]
        self.log, self.table, self.buffer, self.names = [], {"a": [1]}, np.zeros(2), {"x"}


def registry():
    found = Registry(w=np.ones(3))
    found.log, found.table = [], {"a": [1]}
    return found


KINDS = {
    "subclass of dict": (registry, lambda r: (r.log, r.table, r.table["a"])),
    "dataclass": (lambda: State(np.ones(3)), lambda s: (s.log,)),
    "flattens itself": (lambda: Custom(np.ones(3), {"k": [1]}), lambda c: (c.settings, c.settings["k"])),
    "module": (Net, lambda m: (m.log, m.table, m.table["a"], m.buffer, m.names, m.layer.seen, m.layer.seen[0])),
}
FUNCTIONS = {
    "alone": (lambda tree: tm.tree_map(lambda p: 2.0 * p, tree), lambda result: result),
    "within": (lambda tree: {"out": [1.0, tm.tree_map(lambda p: 2.0 * p, tree)]}, lambda result: result["out"][1]),
}


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("form", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_can_change_in_a_result_is_that_of_the_arguments_of_this_call(kind, form, backend):
    (make, parts), (f, found) = KINDS[kind], FUNCTIONS[form]
    step = tm.compile(f, backend=backend)
    for _ in range(3):
        tree = make()
        same = [a is b for a, b in zip(parts(found(f(tree))), parts(tree), strict=True)]
        assert [a is b for a, b in zip(parts(found(step(tree))), parts(tree), strict=True)] == same
        assert all(same)


def test_one_of_two_equal_arguments_is_told_from_the_other():
    step = tm.compile(lambda a, b, k: tm.tree_map(lambda p: k * p, b))
    for k in (2.0, 3.0):
        a, b = Net(), Net()
        result = step(a, b, k)
        assert result.log is b.log
        assert result.layer.seen is b.layer.seen
        np.testing.assert_array_equal(result.layer.weight.detach(), k * b.layer.weight.detach())


def test_results_that_are_differentiated_have_the_lists_of_their_own_argument():
    step = tm.compile(lambda state, k: tm.tree_map(lambda p: k * p, state))
    for state in (registry(), registry()):

        def loss(k, state=state):
            result = step(state, k)
            assert result.log is state.log
            return tm.sum(result["w"] ** 2)

        assert tm.grad(loss)(2.0).item() == 12.0


def test_what_leads_to_the_module_itself_is_made_anew_with_it():
    net = tm.nn.Linear(2, 2, rng=0)
    net.log, net.call = [], net.forward
    step = tm.compile(lambda m: tm.tree_map(lambda p: 2.0 * p, m))
    for _ in range(3):
        result = step(net)
        assert result.log is net.log
        assert result.call.__self__ is result
