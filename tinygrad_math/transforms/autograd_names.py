"""Transforms and rules under autograd's names, for what was written for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, describe
from ..core.tensor import as_tensor, rec
from .derivatives import grad, jvp, vjp
from .made import Made
from .primitive import Primitive
from .products import hvp

__all__: list[str] = []


@named
def elementwise_grad(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The derivative of each element of a function that acts elementwise: the gradient of its sum.

    >>> import tinygrad_math as tm
    >>> tm.elementwise_grad(tm.square)(tm.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        y, pull = vjp(_of(f, args, argnum, kwargs), args[argnum])
        return pull(rec.ones_like(as_tensor(y)))[0]

    return Made(wrapped, elementwise_grad, f, argnum)


@named
def hessian_vector_product(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The function (*args, v) -> H v, H the Hessian of f in one of its arguments.

    >>> import tinygrad_math as tm
    >>> tm.hessian_vector_product(lambda x: (x**3).sum())(tm.tensor([1.0, 2.0]), tm.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise ArgumentError("hessian_vector_product(f)(*args, v) takes the arguments of f, and a vector")
        *rest, v = args
        return hvp(_of(f, rest, argnum, kwargs), rest[argnum], v)

    return Made(wrapped, hessian_vector_product, f, argnum)


@named
def deriv(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The derivative of a function of one number, whose result may be an array: by one forward walk.

    >>> import tinygrad_math as tm
    >>> tm.deriv(lambda t: t * tm.tensor([1.0, 2.0]))(3.0)
    tensor([1., 2.])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        x = as_tensor(args[argnum])
        return jvp(_of(f, args, argnum, kwargs), (x,), (rec.ones_like(x),))[1]

    return Made(wrapped, deriv, f, argnum)


@named
def holomorphic_grad(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """f' of a function of a complex number: `grad(f, argnum, holomorphic=True)`.

    >>> import tinygrad_math as tm
    >>> tm.holomorphic_grad(lambda z: z * z)(1.0 + 2.0j)
    tensor(2.+4.j, dtype=complex128)
    """
    return grad(f, argnum, holomorphic=True)


@named
def grad_named(f: Callable[..., Any], argname: str) -> Callable[..., Any]:
    """The gradient in the parameter of this name: `grad(f, argnums=argname)`.

    >>> import tinygrad_math as tm
    >>> tm.grad_named(lambda x, w: x * w, "w")(2.0, 3.0)
    tensor(2.)
    """
    return grad(f, argname)


@named
def defvjp(primitive: Primitive, *makers: Callable[..., Any] | None, argnums: Sequence[int] | None = None) -> None:
    """Give a primitive its derivative in autograd's way: `maker(y, *args)` makes the function g -> cotangent.

    One maker for each argument, or for each of `argnums`; None where the derivative is zero. `primitive.defvjp` takes
    `rule(g, y, *args)`, which says the same in one. Raises ArgumentError.

    >>> import tinygrad_math as tm
    >>> double = tm.primitive(lambda x: 2.0 * x)
    >>> tm.defvjp(double, lambda y, x: lambda g: 2.0 * g)
    >>> tm.grad(double)(3.0)
    tensor(2.)
    """
    if not isinstance(primitive, Primitive):
        raise ArgumentError(f"defvjp: a function that tm.primitive has made comes first, got {describe(primitive)}")
    places = range(len(makers)) if argnums is None else argnums
    count = len(primitive.array_names)
    given = dict(zip(places, makers, strict=False))
    if len(given) != len(makers) or len(places) != len(makers) or not given.keys() <= set(range(count)):
        raise ArgumentError(
            f"defvjp: {len(makers)} rules for the arguments {list(places)} of {primitive.name}, which has {count}"
        )
    primitive.defvjp(*(_rule(given.get(k), k) for k in range(count)))


def _rule(maker: Callable[..., Any] | None, place: int) -> Callable[..., Any]:
    if maker is None:
        return lambda g, y, *args, **params: rec.zeros_like(args[place])
    return lambda g, y, *args, **params: maker(y, *args, **params)(g)


@named
def defjvp(primitive: Primitive, *rules: Callable[..., Any] | None) -> None:
    """Give a primitive its tangents in autograd's way: `rule(t, y, *args)` for each argument, as `primitive.defjvp`.

    >>> import tinygrad_math as tm
    >>> double = tm.primitive(lambda x: 2.0 * x)
    >>> tm.defjvp(double, lambda t, y, x: 2.0 * t)
    >>> tm.jvp(double, (3.0,), (1.0,))[1]
    tensor(2.)
    """
    if not isinstance(primitive, Primitive):
        raise ArgumentError(f"defjvp: a function that tm.primitive has made comes first, got {describe(primitive)}")
    primitive.defjvp(*rules)


def _of(f: Callable[..., Any], args: Any, argnum: int, kwargs: dict[str, Any]) -> Callable[..., Any]:
    """f as a function of one of its arguments."""
    return lambda x: f(*args[:argnum], x, *args[argnum + 1 :], **kwargs)
