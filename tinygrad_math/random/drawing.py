"""What a draw is: an op that draws again at each call of a program, and how sizes, dtypes and parameters are read."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.checks import require
from ..core.declare import general, nondiff
from ..core.errors import (
    ArgumentError,
    DTypeError,
    OutsideDomain,
    ShapeError,
    TraceError,
    checked_axis,
    describe,
    integer,
    numeric_dtype,
    sizes,
)
from ..core.mode import watcher
from ..core.node import unknown
from ..core.samples import positive, sample
from ..core.tensor import MODE, TRACED, Node, Tensor, as_tensor, is_weak, rec, record, wrap
from ..transforms.batching.rules import Call, rule
from ..transforms.batching.trace import Batching

Size = int | tuple[int, ...] | None


@nondiff(arity=2, shape="as asked for", latex=r"\operatorname{{draw}}({0}, {1})", note="drawn again at each call")
def random_draw(a: Any, b: Any, /, generator: Any, method: str, names: Any = (), options: Any = ()) -> Any:
    """What the NumPy method of this name draws, with a and b as its arguments `names` (as many as there are)."""
    drawn_by = getattr(generator.numpy, method)
    return np.asarray(drawn_by(**dict(zip(names, (a, b), strict=False)), **dict(options)))[()]


setattr(random_draw, "random", True)  # noqa: B010  (how the compiler knows not to merge or to fold it)


@general(
    arity=2,
    latex=r"\operatorname{{gamma}}_{{{0}}}",
    shape="same as draw",
    note="implicit reparametrisation",
    samples=lambda: [sample(positive(3), positive(3, key=1), smooth=False), sample(2.0, positive(2), smooth=False)],
)
def gamma_sample(a: Any, draw: Any, /) -> Any:
    """A draw z of the gamma distribution of shape a, as a function of a at fixed probability F(a, z).

    By the implicit function theorem dz/da = -(dF/da) / p(a, z), with F = gammainc and p its density
    (Figurnov, Mohamed, Mnih 2018, "Implicit reparameterization gradients").
    """
    return draw


setattr(gamma_sample, "implicit", True)  # noqa: B010


def _rate(xp: Any, a: Any, z: Any) -> Any:
    zero = xp.equal(z, 0)  # a draw that has underflowed; the derivative goes to zero with z
    safe = xp.where(zero, 1.0, z)
    return xp.where(zero, 0.0, -xp.gammainc_da(a, safe, order=1) / xp.gamma_density(a, safe))


@gamma_sample.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, draw: Any) -> Any:
    return g * _rate(xp, a, y) if need[0] else None, g


@gamma_sample.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, draw: Any) -> Any:
    in_a = None if ts[0] is None else ts[0] * _rate(xp, a, y)
    return ts[1] if in_a is None else in_a if ts[1] is None else in_a + ts[1]


def draw(generator: Any, method: str, /, names: tuple[str, ...] = (), given: Any = (), **options: Any) -> Tensor:
    params: dict[str, Any] = {
        "generator": generator,
        "method": method,
        "names": names,
        "options": tuple((k, v) for k, v in options.items() if v is not None),
    }
    arrays = (*given, 0.0, 0.0)[:2]
    watch = watcher()
    batching = watch if isinstance(watch, Batching) else None
    if (tracing() or batching) and generator.made_in is watch:  # seeded within the function: the same numbers each time
        if any(unknown(as_tensor(a).node) for a in arrays):
            raise TraceError(
                f"random.{method}: its parameters are not known while this function is being traced, and the generator "
                "is made and seeded within it. Make the generator outside, or pass it as an argument"
            )
        return Tensor(random_draw.plain(*(as_tensor(a).node.data for a in arrays), **params))
    return drawn(arrays, params)


def drawn(arrays: Any, params: dict[str, Any]) -> Tensor:
    """A draw, recorded as one of the program where a function is being compiled, of the batch under vmap."""
    traced, generator, watch = tracing(), params["generator"], watcher()
    batching = watch if isinstance(watch, Batching) else None
    again = getattr(watch, "draws_again", False)
    state: Any = generator.state if traced or batching or again else None
    y: Tensor = record(random_draw, arrays, params)
    if batching is not None:
        if not batching.same:  # an example was drawn: the batch is drawn in its place
            generator.numpy.bit_generator.state = state
            batching.differs(y.node)
        elif batching.moves(y.node):
            raise TraceError(
                f"random.{params['method']}: with randomness='same' its parameters are the same for all examples of "
                f"{batching.title}. Draw a standard number, and make it depend on them: loc + scale * z"
            )
        return y
    if traced or again:  # an example was drawn: the program draws in its place
        generator.numpy.bit_generator.state = state
    if traced and not y.node.live:  # without live arguments it would be taken for a constant
        y = wrap(Node(y.node.data, random_draw, tuple(as_tensor(v).node for v in arrays), params, TRACED))
        mode = MODE.get()
        if mode is not None and mode.observe is not None:
            mode.observe(y.node)
    return y


@rule("random_draw")
def _draws(call: Call) -> Any:
    """A draw for each example: one of NumPy's calls where it takes a size."""
    options = dict(call.params["options"])
    if isinstance(options.get("size"), tuple) and call.params["method"] not in ("choice", "permutation"):
        args = [call.lifted(k, len(options["size"])) for k in range(2)]
        options["size"] = (call.size, *options["size"])
        return drawn(args, {**call.params, "options": tuple(options.items())})
    rows = []
    for b in range(call.size):
        args = [x[b] if moves else x for x, moves in zip(call.args, call.moving, strict=True)]
        rows.append(drawn(args, call.params))
    return rec.stack(rows) if rows else as_tensor(np.zeros((0, *np.shape(call.like)), call.like.dtype))


def checked(asker: str, name: str, value: Any, least: float | None = None, above: bool = False) -> Any:
    """A parameter, which is real, and not less than `least` (above it, with `above`), if that is given.

    Raises DTypeError, or OutsideDomain, which a program or a batch raises where it finds the value.
    """
    t = as_tensor(value)
    if t.dtype.kind == "c":
        raise DTypeError(f"random.{asker}: {name} is real, got {describe(t)}; take its real part or abs()")
    if least is None:
        return value
    rule = f"greater than {least:g}" if above else "not negative" if least == 0 else f"at least {least:g}"
    told = f"random.{asker}: {name} is {rule}"
    if unknown(t.node):
        wrong = rec.less_equal(t, least) if above else rec.less(t, least)
        return require(t, ~wrong, f"{told}, got {{}}")
    low = np.fmin.reduce(np.asarray(t.node.data, np.float64), axis=None, initial=np.inf)
    if low < least or (above and low == least):
        raise OutsideDomain(f"{told}, got {describe(t)} with {low}")
    return value


def probability(asker: str, value: Any) -> Any:
    """A parameter from 0 to 1; else OutsideDomain."""
    p = checked(asker, "p", value)
    ok = rec.greater_equal(p, 0) & rec.less_equal(p, 1)
    return require(p, ok, f"random.{asker}: p is from 0 to 1, got {{}}")


def shape_of(size: Size, *parameters: Any) -> tuple[int, ...]:
    """The shape of a draw: `size`, or what the parameters broadcast to."""
    try:
        natural = np.broadcast_shapes(*(as_tensor(p).shape for p in parameters))
    except ValueError as error:
        raise ShapeError(f"parameters of shapes {[as_tensor(p).shape for p in parameters]} do not broadcast") from error
    if size is None:
        return natural
    wanted = sizes(size, "random", "size")
    if min(wanted, default=0) < 0:
        raise ShapeError(f"random: size={size} counts from 0")
    try:
        fits = np.broadcast_shapes(natural, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"size={size} does not hold parameters of shape {natural}; leave size out, or extend it")
    return wanted


def dtype_of(dtype: Any, *parameters: Any) -> np.dtype[Any]:
    """float32 if asked for, or if every parameter that has a dtype has this one; else float64."""
    if dtype is not None:
        kind = numeric_dtype(dtype)
        if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ArgumentError(f"random numbers are float32 or float64, got dtype={dtype!r}")
        return kind
    kinds = {np.dtype(p.dtype) for p in parameters if not is_weak(p)}
    return np.dtype(np.float32) if kinds == {np.dtype(np.float32)} else np.dtype(np.float64)


def number(value: Any) -> Any:
    """A parameter as it is, or as a Tensor if it is a list."""
    return as_tensor(value) if isinstance(value, (list, tuple)) else value


def population(a: Any, axis: Any, asker: str) -> tuple[Any, int]:
    """What is drawn from: so many numbers, or the slices of an array along an axis."""
    axis = integer(axis, f"random.{asker}", "axis")
    x = as_tensor(a)
    if x.ndim:
        return x, checked_axis(axis, x.ndim, f"random.{asker}")
    if x.dtype.kind not in "iu":
        raise ArgumentError(f"random.{asker} draws from a whole number or from an array, got {describe(a)}")
    if int(x) < 0:
        raise ShapeError(f"random.{asker}: a number to draw from counts from 0, got {int(x)}")
    return int(x), axis
