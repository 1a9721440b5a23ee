"""What a step of training holds while it is traced, and what is told of values meanwhile."""

import tracemalloc

import numpy as np
import pytest

import tinygrad_math as tm

SHAPE, MANY = (256, 256), 6
KINDS = ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD"]


def most(f):
    """The most bytes that a call holds beyond what was held before, and those that it leaves."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        kept = f()
        left, peak = tracemalloc.get_traced_memory()
        del kept
        return peak - before, left - before
    finally:
        tracemalloc.stop()


def large(dtype):
    rng = np.random.default_rng(0)
    params = [tm.tensor(rng.normal(size=SHAPE).astype(dtype), requires_grad=True) for _ in range(MANY)]
    for p in params:
        p.grad = rng.normal(size=SHAPE).astype(dtype)
    return params, params[0].data.nbytes


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_step_holds_little_beside_what_it_leaves(kind):
    params, one = large(np.float32)
    peak, left = most(getattr(tm.optim, kind)(params).step)
    assert peak - left < (30 if kind == "Rprop" else 10) * one  # of the 12 to 160 arrays that the rules make


def test_many_numbers_are_computed_in_the_dtype_of_few():
    for kind in KINDS:
        params, _ = large(np.float32)
        whole = getattr(tm.optim, kind)(params)
        parts = [tm.tensor(p.data[:4].copy(), requires_grad=True) for p in params]
        few = getattr(tm.optim, kind)(parts)
        for _ in range(3):
            for p, part in zip(params, parts, strict=True):
                part.grad = p.grad.data[:4]
            whole.step()
            few.step()
        for p, part in zip(params, parts, strict=True):
            np.testing.assert_array_equal(p.data[:4], part.data, err_msg=kind)


def test_a_whole_step_that_is_traced_holds_no_rule_at_large():
    rng, opt = np.random.default_rng(0), tm.optim.Adam()
    params = [rng.normal(size=SHAPE) for _ in range(MANY)]
    state = opt.init(params)
    x = rng.normal(size=(4, 256))

    @tm.compile
    def step(params, state):
        loss = lambda params: sum((x @ p).std() for p in params)  # noqa: E731
        return opt.update(tm.grad(loss)(params), state, params)

    peak, left = most(lambda: step(params, state))
    assert left > 3 * MANY * params[0].nbytes  # new parameters and states
    assert peak - left < MANY * params[0].nbytes + 4 * params[0].nbytes  # and the gradients


def test_values_that_are_known_stay_what_they_are():
    """Of Tensors that a function closes over a value may be asked for, also behind an update."""
    w, g = tm.ones(SHAPE), tm.full(SHAPE, 3.0)
    opt = tm.optim.SGD(lr=1.0)
    state = opt.init([w])

    @tm.compile
    def f(x):
        (new,), _ = opt.update([g], state, [w])
        return x * 2.0 if float(new.max()) == -2.0 else x * 0.0

    assert f(tm.tensor(1.0)).item() == 2.0


def test_a_rule_of_the_user_sees_values_of_its_own():
    seen = []

    class Looking(tm.optim.Optimizer):
        def rule(self, xp, p, g, state, h):
            new = p - h["lr"] * g
            seen.append(float(np.max(new.node.data if hasattr(new, "node") else new)))
            return new, state

    p = tm.tensor(np.ones(SHAPE), requires_grad=True)
    p.grad = tm.full(SHAPE, 3.0)
    Looking([p], lr=1.0).step()
    assert set(seen) == {-2.0}
    assert p.data.max() == -2.0


def test_a_root_of_a_number_is_a_number():
    x, f = np.ones(3, np.float32), lambda t, x: (1 - t) ** 0.5 * x
    found, want = tm.compile(f)(0.75, x), f(0.75, x)
    assert found.dtype == want.dtype == np.float32
    np.testing.assert_array_equal(found.numpy(), want)
    np.testing.assert_allclose(tm.compile(tm.grad(f))(0.75, x[0]).numpy(), -1.0, rtol=1e-6)


def test_a_rule_of_the_user_is_looked_through_and_not_all_ops_that_it_could_use():
    from tinygrad_math.compiler.environment import Environment
    from tinygrad_math.core.op import raw, rec

    tm.special.erf  # whose ops are declared by now  # noqa: B018
    for xp in (rec, raw):
        assert len(Environment([("f", lambda p: xp.sqrt(p))]).facts) < 10
