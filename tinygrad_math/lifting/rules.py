"""The register of rules: functions of SciPy whose work is compiled, written in this package's functions.

A rule takes the library's function and its arguments, of which one is a Tensor; NotImplemented leaves it to the code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..core.errors import NoDerivative, describe
from ..core.numpy_alone import no_counterpart, tensors_in
from ..core.opening import opened
from ..core.tensor import Tensor
from .forms import linear_in

_OWN = __name__.partition(".")[0]
RULES: dict[str, Callable[..., Any]] = {}
LIFTED: list[Callable[[Any], Any]] = []  # `bind.lifted`, for rules that make objects of the library's


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def attach(f: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            RULES[name] = f
        return f

    return attach


OF_FUNCTIONS: set[Callable[..., Any]] = set()  # rules that are asked without a Tensor among the arguments, too


def of_functions(f: Callable[..., Any]) -> Callable[..., Any]:
    """A rule for what takes a function, which may hold Tensors in its scope."""
    OF_FUNCTIONS.add(f)
    return f


def linalg(name: str) -> Any:
    """A function of `tm.linalg`."""
    return getattr(opened(f"{_OWN}.linalg"), name)


def only_defaults(f: Any, rest: Any, more: Any, *names: str) -> None:
    """Raise for an option that means another result."""
    for name in names:
        if more.get(name) not in (None, False, "a"):
            raise NoDerivative(f"{f.__name__} with {name}={describe(more[name])} has no derivative here; leave it out")


def linear_function(*names: str, argument: str) -> None:
    """A rule for functions of SciPy's that are linear in one argument, whatever the others are."""

    def apply(f: Any, *args: Any, **more: Any) -> Any:
        given = inspect.signature(f).bind(*args, **more)
        constant_but(f, given.arguments, argument)
        array = given.arguments[argument]

        def run(x: Any) -> Any:
            given.arguments[argument] = x
            return f(*given.args, **given.kwargs)

        return linear_in(f.__name__, run, array)

    for name in names:
        RULES[name] = apply


def constant_but(f: Any, given: Any, argument: str) -> None:
    for name, value in given.items():
        live = next((t for t in tensors_in([value]) if t.node.live), None)
        if name == argument:
            continue
        if live is not None:
            raise no_counterpart(f"{f.__name__} in its argument {name}", None, live)
        if isinstance(value, Tensor):
            given[name] = value.detach().numpy()
