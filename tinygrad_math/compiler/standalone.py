"""`to_source`: a function, its gradient, or its Hessian-vector product as a NumPy function that stands alone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..core.arguments import named
from ..core.conversion import node_of
from ..core.errors import ArgumentError, NonScalarError, describe
from ..core.node import scalar_or_array
from ..core.op import registry
from ..core.tensor import DIFFERENTIABLE, Node, Tensor, as_tensor, rec, wrap
from ..core.tree import flatten, unflatten
from ..core.walk import grad_of
from .cache import Compiled
from .emit import emit
from .environment import Environment
from .executable import argument_names, title_of
from .helpers import Helpers
from .leaves import is_static
from .lines import NUMPY, Source
from .memory import plan
from .names import comment
from .passes import improve
from .program import NUMBERS, constant
from .steady import steady
from .trace import Fixed, Traced, trace


@named
def to_source(
    f: Callable[..., Any], *args: Any, order: Literal[0, 1, 2] = 0, argnums: int | str = 0, buffers: bool = False
) -> Any:
    """The source of a NumPy function that computes f, or its derivatives, and needs nothing of this package.

    Arguments: `args` examples, whose shapes and dtypes the function is written for; `order` 0 for f itself, 1 for the
    value and the gradient, 2 for the value, the gradient and the Hessian-vector product with a further argument
    `v` of the gradient's shape; `argnums` the argument to differentiate in, its position or name; `buffers`
    writes it with a workspace, as `compile` runs it. Without `args`, a function that takes them is returned.
    The function takes the leaves of the arguments one by one, and returns the leaves of the result as a tuple.
    Raises TraceError as `compile` does, and MathError where an op's own function cannot be written down.

    >>> import tinygrad_math as tm
    >>> text = tm.to_source(lambda x: (x * x).sum(), tm.tensor([1.0, 2.0]), order=1)
    >>> scope = {}
    >>> exec(text, scope)
    >>> value, gradient = scope["f"](np.array([3.0, 4.0]))
    >>> float(value), gradient.tolist()
    (25.0, [6.0, 8.0])
    """
    if isinstance(f, Compiled):
        f = f.f
    if not args:
        return functools.partial(to_source, f, order=order, argnums=argnums, buffers=buffers)
    title = "f" if title_of(f) == "<lambda>" else title_of(f)
    names = argument_names(f, args, {})
    if isinstance(argnums, str):
        if argnums not in inspect.signature(f).parameters:
            raise ArgumentError(f"to_source: argnums={argnums!r:.60} is no argument of {title}{inspect.signature(f)}")
        argnums = list(inspect.signature(f).parameters).index(argnums)
    if order:
        leaves = flatten(args[argnums])[0]
        if order == 2:
            names += ["v" + (f"_{k}" if len(leaves) > 1 else "") for k in range(len(leaves))]
            args = (*args, args[argnums])
        f = _derivative(f, argnums, order)

    def run(environment: Environment) -> Traced:
        return trace(f, (args, {}), is_static, names, title, environment)

    found = steady([(title, f)], title, run)
    if found is None:
        raise ArgumentError(f"to_source: {title} sets up what it depends on when it first runs; run it once before")
    traced = found[0]
    _fix(title, traced)
    program = improve(traced.program)
    source = emit(program, plan(program, use_buffers=buffers))
    return _text(source, title, order, traced.outputs)


def _fix(title: str, traced: Traced) -> None:
    """Constants from around the function become part of the program, and results that are the same at every call."""
    program = traced.program
    if any(f.value.node.live for f in traced.hidden):
        raise ArgumentError(f"to_source: {title} closes over parameters; pass them as arguments")
    for _ in traced.hidden:
        program.arguments.pop().constant = True
    results = []
    for o in traced.outputs:
        if not isinstance(o, Fixed):
            results.append(program.results[o])
        elif _is_number(o.leaf):
            results.append(constant(np.array(as_tensor(o.leaf).node.data)))
    program.results = results


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, np.ndarray, np.generic)) or type(leaf) in NUMBERS


def _derivative(f: Callable[..., Any], argnums: int, order: int) -> Callable[..., Any]:
    """f as a function that returns (value, gradient) or, with v as last argument, (value, gradient, product)."""

    def derived(*args: Any) -> Any:
        given = list(args[:-1] if order == 2 else args)
        leaves, structure = flatten(given[argnums])
        xs = [_alias(leaf) for leaf in leaves]
        given[argnums] = unflatten(structure, xs)
        y = as_tensor(f(*given))
        if y.size != 1:
            raise NonScalarError(
                f"to_source: order={order} needs a function that returns one number, got {describe(y)}"
            )
        g = _gradients(y, xs)
        if order == 1:
            return y, g
        vs = flatten(args[-1])[0]
        along = sum((rec.sum(a * v) for a, v in zip(g, vs, strict=True)), start=rec.sum(0.0 * xs[0]))
        return y, g, _gradients(along, xs)

    return derived


def _alias(leaf: Any) -> Tensor:
    source = node_of(leaf)
    data = scalar_or_array(np.asarray(source.data))  # an argument that is a Python number too
    return wrap(Node(data, registry["alias"], (source,), {}, source.live | DIFFERENTIABLE))


def _gradients(y: Tensor, xs: list[Tensor]) -> list[Any]:
    found = grad_of(y, xs, create_graph=True, allow_unused=True)
    return [np.zeros(x.shape, x.dtype) if g is None else g for g, x in zip(found, xs, strict=True)]


def _text(source: Source, title: str, order: int, outputs: list[Any]) -> str:
    helpers = Helpers(source.names)
    words = source.words
    used = [name for name in NUMPY if name in words]
    for name, thing in source.namespace.items():
        if name not in NUMPY and name not in ("np", "parallel") and name in words:
            helpers.add(thing, name, name)
    if "parallel" in words:
        helpers.definitions.append("def parallel(chain, size, block, blocks):\n    chain(0, size, *blocks[0])")
    left_out = [o for o in outputs if isinstance(o, Fixed) and not _is_number(o.leaf)]
    what = ("", ", with its gradient", ", with its gradient and Hessian-vector product")[order]
    shown = comment(title).replace("\\", "\\\\").replace('"', '\\"')  # a name is text, whatever stands in it
    head = [f'"""{shown}{what}: plain NumPy, written by tinygrad_math."""', ""]
    body = "\n".join(helpers.definitions)
    if "base64" in body:
        head.append("import base64")
    head += [*helpers.imports, "import numpy as np"]
    if used:
        head.append(f"from numpy import {', '.join(used)}")
    call = f"\n\n{source.function} = make()\n"
    if left_out:
        call += f"# {len(left_out)} results are no numbers and left out\n"
    return "\n".join(head) + "\n\n" + (body + "\n\n" if body else "") + source.text + call
