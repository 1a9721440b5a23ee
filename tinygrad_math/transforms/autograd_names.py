"""Two transforms under autograd's names, for what was written for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError
from ..core.tensor import as_tensor, rec
from .derivatives import vjp
from .made import Made
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


def _of(f: Callable[..., Any], args: Any, argnum: int, kwargs: dict[str, Any]) -> Callable[..., Any]:
    """f as a function of one of its arguments."""
    return lambda x: f(*args[:argnum], x, *args[argnum + 1 :], **kwargs)
