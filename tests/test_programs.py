"""Programs as people write them: compiled they equal the eager ones, and derivatives equal central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from programs import OURS, directions, program
from written_programs import Still, Wide, Written, claim, written

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten


def arrays(tree: Any) -> list[Any]:
    return [
        x.detach().numpy() if isinstance(x, tm.Tensor) else np.asarray(x) for x in flatten(tree)[0] if x is not None
    ]


def assert_equal(what: str, got: Any, want: Any, loose: float) -> None:
    """The same shapes and dtypes, and numbers within rounding."""
    got, want = arrays(got), arrays(want)
    assert len(got) == len(want), f"{what}: {len(got)} results instead of {len(want)}"
    scale = max(1.0, *(np.abs(y).max(initial=0) for y in want))
    for k, (x, y) in enumerate(zip(got, want, strict=True)):
        assert (x.shape, x.dtype) == (y.shape, y.dtype), (
            f"{what}: result {k} is {x.dtype}{x.shape}, eager {y.dtype}{y.shape}"
        )
        worst = np.abs(x - y).max(initial=0)
        assert worst <= loose * scale, f"{what}: result {k} is {x}, eager {y} (differs by {worst / scale:.1e})"


def single(p: Written) -> bool:
    """Whether any value is in single precision."""
    return bool(p.dtypes() & {np.dtype("f4"), np.dtype("c8")})


def rounding(p: Written) -> float:
    """What compiled and eager may differ by, of the largest result: a thousand units of the narrowest dtype.

    The writer keeps values below 30 and their slopes below 100, so that no step is magnified much.
    """
    return 1000 * float(np.finfo("f4" if single(p) else "f8").eps)


def parameters_of(thing: Any) -> list[Any]:
    return list(thing.parameters()) if isinstance(thing, tm.nn.Module) else [thing] * isinstance(thing, tm.nn.Parameter)


def check_compiled(p: Written, every: bool = True) -> None:
    """Compiled, in as many ways as derivatives and compiling combine, or in one of them besides the value."""
    names = p.run()
    f, loss, arguments = names["f"], names["loss"], names["arguments"]
    rng, loose = np.random.default_rng(p.seed), rounding(p)
    ts, aside = (directions(rng, p.leaves) for _ in range(2))
    near = [np.asarray(x + 1e-3 * t, x.dtype) for x, t in zip(p.leaves, aside, strict=True)]
    args, ts = arguments(*p.leaves), arguments(*ts)
    tensors, others = arguments(*map(tm.tensor, p.leaves)), arguments(*map(tm.tensor, near))
    n, everything = len(args), tuple(range(len(args)))
    gradient = tm.grad(loss, argnums=everything)

    def backward(f: Any) -> Any:
        """The gradients of parameters that the program closes over."""
        for w in parameters:
            w.grad = None
        value = f(*tensors)
        if value.requires_grad:
            value.backward()
        return [np.zeros(w.shape, w.dtype) if w.grad is None else w.grad for w in parameters]

    def hvp(*both: Any) -> Any:
        return tm.jvp(gradient, both[:n], both[n:])[1]

    compiled = tm.compile(f)
    assert_equal("compile(f)", compiled(*args), f(*tensors), loose)
    parameters = list({id(w): w for thing in names.values() for w in parameters_of(thing)}.values())
    with tm.no_grad():
        for w in parameters:
            w *= 0.9
    assert_equal("compile(f), again", compiled(*arguments(*near)), f(*others), loose)
    if parameters:
        assert_equal("backward of compile(f)", backward(tm.compile(loss)), backward(loss), loose)

    def of_gradient() -> None:
        got, want = tm.compile(gradient)(*args), gradient(*tensors)
        assert [g.dtype for g in arrays(want)] == [x.dtype for x in p.leaves], "a gradient has another dtype"
        assert_equal("compile(grad(f))", got, want, loose)

    ways = [
        of_gradient,
        lambda: assert_equal(
            "grad(compile(f))", tm.grad(tm.compile(loss), argnums=everything)(*tensors), gradient(*tensors), loose
        ),
        lambda: assert_equal("jvp(compile(f))", tm.jvp(compiled, tensors, ts), tm.jvp(f, tensors, ts), loose),
        lambda: assert_equal("compile(hvp(f))", tm.compile(hvp)(*args, *ts), hvp(*tensors, *ts), loose),
        lambda: assert_equal("hvp(compile(f))", tm.hvp(tm.compile(loss), tensors, ts), hvp(*tensors, *ts), loose),
    ]
    for way in ways if every else [ways[(0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 4)[p.seed % 11]]]:
        way()


def wide(x: Any) -> Any:
    return np.asarray(x, np.complex128 if x.dtype.kind == "c" else np.float64)


def differences(f: Any, xs: Any, ts: Any, h: float) -> list[Any]:
    """The derivative of f along ts, by central differences of fourth order."""
    a, b, c, d = (arrays(f(*[x + k * h * t for x, t in zip(xs, ts, strict=True)])) for k in (1, -1, 2, -2))
    return [(8 * (p - m) - (pp - mm)) / (12 * h) for p, m, pp, mm in zip(a, b, c, d, strict=True)]


def two_differences(f: Any, xs: Any, ts: Any) -> tuple[list[Any], list[Any]]:
    """The derivative of f along ts, by two step sizes."""
    return differences(f, xs, ts, 1e-3), differences(f, xs, ts, 5e-4)


def assert_is_derivative(what: str, got: Any, expected: tuple[list[Any], list[Any]]) -> None:
    """Equal to central differences, as sharply as two step sizes agree about them."""
    coarse, fine = expected
    scale = max(1.0, *(np.abs(b).max(initial=0) for b in fine))
    for y, a, b in zip(got, coarse, fine, strict=True):
        doubt = np.abs(a - b)
        assert doubt.max(initial=0) < 1e-4 * scale, f"{what}: differences do not settle: {a} or {b}"
        assert y.shape == b.shape, f"{what}: shape {y.shape}, expected {b.shape}"
        assert np.all(np.abs(y - b) <= 1e-8 * scale + doubt), f"{what}: {y} instead of {b}"


def inner(a: Any, b: Any) -> float:
    return float(sum(np.sum(np.conj(u) * v).real for u, v in zip(a, b, strict=True)))


def check_derivatives(p: Written, every: bool = True) -> None:
    """Gradient, jvp and hvp against differences in double precision; in the program's own precision beside that."""
    narrow, names, still = p.run(), p.run(namespace=Wide()), Still()
    held, arguments = p.run(still=True, namespace=still), names["arguments"]
    xs = [wide(x) for x in p.leaves]
    rng = np.random.default_rng([p.seed, 1])
    ts = directions(rng, xs)
    args, along = arguments(*map(tm.tensor, xs)), arguments(*map(tm.tensor, ts))
    everything = tuple(range(len(args)))
    gradient = tm.grad(names["loss"], argnums=everything)

    def loss(*leaves: Any) -> Any:
        return still.replay(held["loss"], *held["arguments"](*map(tm.tensor, leaves)))

    def slopes(*leaves: Any) -> Any:
        return still.replay(tm.grad(held["loss"], argnums=everything), *held["arguments"](*map(tm.tensor, leaves)))

    held["loss"](*held["arguments"](*map(tm.tensor, xs)))
    found = arrays(gradient(*args))
    expected = two_differences(loss, xs, ts)
    assert_is_derivative("gradient", [np.asarray(inner(found, ts))], expected)
    assert_is_derivative("jvp", arrays(tm.jvp(names["loss"], args, along)[1]), expected)
    if every or p.seed % 3 == 0:
        assert_is_derivative("hvp", arrays(tm.hvp(names["loss"], args, along)), two_differences(slopes, xs, ts))
    if single(p):
        own = arrays(tm.grad(narrow["loss"], argnums=everything)(*narrow["arguments"](*map(tm.tensor, p.leaves))))
        scale = max(1.0, *(np.abs(g).max(initial=0) for g in found))
        for g, w, x in zip(own, found, p.leaves, strict=True):
            assert g.dtype == x.dtype, f"the gradient of {x.dtype} is {g.dtype}"
            assert np.abs(g - w).max(initial=0) <= 1e-2 * scale, f"gradient in its own precision: {g}, in double: {w}"


def check(p: Written) -> None:
    check_compiled(p, every=False)
    check_derivatives(p, every=False)


@pytest.mark.parametrize("block", range(30))
def test_programs_compiled_equal_eager_ones_and_their_derivatives_equal_differences(block):
    for seed in range(10 * block, 10 * block + 10):
        claim(written(seed), check)


@pytest.mark.long
@pytest.mark.parametrize("block", range(150))
def test_three_thousand_programs_equal_eager_ones_in_every_mode(block):
    for seed in range(20 * block, 20 * block + 20):
        claim(written(seed), check_compiled)


@pytest.mark.long
@pytest.mark.parametrize("block", range(50))
def test_derivatives_of_a_thousand_programs_equal_differences(block):
    for seed in range(20 * block, 20 * block + 20):
        claim(written(seed), check_derivatives)


# -- what random programs have found --------------------------------------------------------------------


@pytest.mark.parametrize("seed", [19, 35])
def test_a_view_of_what_a_pass_has_rewritten_keeps_its_memory(seed):
    p = program(seed)
    f, xs = p.loss(OURS), [tm.tensor(x) for x in p.inputs]
    gradient = tm.grad(f, argnums=tuple(range(len(xs))))
    assert_equal("value", tm.compile(f)(*xs), f(*xs), 1e-12)
    assert_equal("gradient", tm.compile(gradient)(*xs), gradient(*xs), 1e-12)


def test_constants_of_single_precision_merge_in_the_precision_of_the_result():
    w, x = np.array([0.5403], np.float32), tm.tensor([0.37])
    for f in (
        lambda x: (w * x) / 3.0,
        lambda x: (x * w) * (w * 1.1),
        lambda x: x / w[0],
        lambda x: tm.sum(w[0] * tm.broadcast_to(x, (3, 1))),
        lambda x: tm.sum(np.array([0.1, 0.2, 0.3], np.float32) * tm.broadcast_to(x, (3,))),
    ):
        assert_equal("value", tm.compile(f)(x), f(x), 1e-12)


def test_a_part_of_a_part_is_read_after_it_is_made():
    x = tm.tensor([0.3, -0.7])

    def f(x):
        return tm.sum(tm.squeeze(tm.split(tm.exp(x) * x, [1])[1]) ** 2)

    assert_equal("both", [tm.compile(f)(x), tm.compile(tm.grad(f))(x)], [f(x), tm.grad(f)(x)], 1e-12)
