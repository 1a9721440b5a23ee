"""The types of the public functions, as files beside the sources: `python -m tests.stubs` writes them.

Names, parameters and defaults are read from the functions themselves; what they return, from their annotation, else
from the registry: an op gives a Tensor, a many-valued one a tuple of them. `RETURNS` and `TYPED` hold
what cannot be read.
"""

import functools
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import scipy

import tinygrad_math as tm
from tinygrad_math.core.arguments import title
from tinygrad_math.core.elsewhere import SAME
from tinygrad_math.core.methods import NAMES
from tinygrad_math.core.op import Op, rec
from tinygrad_math.ops.wording import numpys_function
from tinygrad_math.ops.wording import parameters as numpys_parameters

ROOT = Path(tm.__file__).parent
NAMERS = " and ".join(f"{m.__name__} {m.__version__.rpartition('.')[0]}" for m in (np, scipy))
HEAD = f'"""Types of the public functions, with the words of {NAMERS}: written by tests/stubs.py."""\n\n'
_TENSORS = "builtins.tuple[Tensor, ...]"
_LIST = "builtins.list[Tensor]"
_MANY = (
    "array_split dsplit hsplit vsplit split unstack frexp modf nonzero histogram divmod topk tril_indices triu_indices"
)
_TREES = "unique_all unique_counts unique_inverse load tree_map stop_gradient jvp vjp hvp ggnvp linearize "
_TREES += "gradient polydiv polyfit average unique"
RETURNS = {
    **dict.fromkeys(_MANY.split(), _TENSORS),
    **dict.fromkeys(_TREES.split(), "typing.Any"),  # what depends on the arguments
    **dict.fromkeys(("can_cast", "isdtype"), "builtins.bool"),
    **dict.fromkeys(("broadcast_arrays", "meshgrid"), _LIST),
}
# What says more than a signature can: overloads, and the types of what is made of functions.
TYPED = {
    "linspace": [
        "(start: Any, stop: Any, num: builtins.int = ..., endpoint: builtins.bool = ..., "
        "retstep: typing.Literal[False] = ..., dtype: numpy.typing.DTypeLike | None = ..., axis: builtins.int = ..., "
        "*, device: builtins.str | None = ...) "
        "-> Tensor",
        "(start: Any, stop: Any, num: builtins.int = ..., endpoint: builtins.bool = ..., *, "
        "retstep: typing.Literal[True], dtype: numpy.typing.DTypeLike | None = ..., axis: builtins.int = ..., "
        "device: builtins.str | None = ...) "
        "-> builtins.tuple[Tensor, Any]",
    ],
    "where": [
        "(condition: Any, /) -> builtins.tuple[Tensor, ...]",
        "(condition: Any, x1: Any, x2: Any, /) -> Tensor",
    ],
    "compile": [
        "(f: _M, *, OPTIONS) -> _M",
        "(f: Callable[_P, _R], *, OPTIONS) -> Compiled[_P, _R]",
        "(f: None = ..., *, OPTIONS) -> Callable[[Callable[_P, _R]], Compiled[_P, _R]]",
    ],
}
for _name in ("grad", "jacobian", "jacfwd", "jacrev", "hessian"):
    _more = "" if _name == "hessian" else ", has_aux: typing.Literal[False] = ..., holomorphic: builtins.bool = ..."
    TYPED[_name] = [
        f"(f: Callable[Concatenate[Tensor, _P], Any], argnums: typing.Literal[0] = ...{_more}) "
        "-> Derivative[Concatenate[Any, _P], Tensor]",
        f"(f: Callable[Concatenate[_Array, _P], Any], argnums: typing.Literal[0] = ...{_more}) "
        "-> Derivative[Concatenate[Any, _P], Tensor]",
        *(
            [f"(f: Callable[Concatenate[_A, _P], Any], argnums: typing.Literal[0] = ...{_more}) "
             "-> Derivative[Concatenate[_A, _P], _A]"]
            if _name == "grad"
            else []
        ),
        f"(f: Callable[_P, Any], argnums: Any = ...{_more.replace('typing.Literal[False]', 'builtins.bool')}) "
        "-> Derivative[_P, Any]",
    ]  # fmt: skip
TYPED["value_and_grad"] = [
    line.replace("_P], Tensor]", "_P], builtins.tuple[Tensor, Tensor]]").replace(
        "_P], _A]", "_P], builtins.tuple[Tensor, _A]]"
    )
    for line in TYPED["grad"]
]
PREAMBLE = """import builtins
import collections.abc
import typing
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

import numpy
import numpy.typing

from tinygrad_math.core.tensor import Tensor as Tensor
"""
TOP = """
_P = ParamSpec("_P")
_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)
_A = TypeVar("_A")
_M = TypeVar("_M", bound=nn.Module)
_Array = numpy.ndarray[Any, Any] | builtins.float

class Derivative(Protocol[_P, _R_co]):
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R_co: ...

class Compiled(Derivative[_P, _R_co], Protocol[_P, _R_co]):
    @property
    def source(self) -> builtins.str: ...
    @property
    def program(self) -> Any: ...
    @property
    def profile(self) -> Any: ...

__version__: builtins.str
tensor = Tensor
"""


NEEDED = set()  # the imports of what was shown
# by their names, where a function says no more
KNOWN = {"dtype": "numpy.typing.DTypeLike | None", "device": "builtins.str | None"}


def shown(hint):
    """A type as a stub writes it."""
    kind, inner = get_origin(hint), get_args(hint)
    if hint is None or hint is type(None):
        return "None"
    if hint is Any or isinstance(hint, (typing.TypeVar, typing.ParamSpec, str)):
        return "typing.Any"
    if hint is ...:
        return "..."
    if kind in (Union, types.UnionType):
        return " | ".join(map(shown, inner))
    if kind is Literal:
        return f"typing.Literal[{', '.join(map(repr, inner))}]"
    if kind is not None and issubclass(kind, Callable):
        arguments, result = inner if inner else (..., Any)
        written = "..." if not isinstance(arguments, list) else f"[{', '.join(map(shown, arguments))}]"
        return f"collections.abc.Callable[{written}, {shown(result)}]"
    if kind is not None:
        return f"{shown(kind)}[{', '.join(map(shown, inner))}]"
    if hint is tm.Tensor:
        return "Tensor"
    if hint is Callable:
        return "collections.abc.Callable[..., typing.Any]"
    if isinstance(hint, type):
        if hint.__module__.startswith(tm.__name__):
            NEEDED.add(f"from {hint.__module__} import {hint.__name__} as _{hint.__name__}")
            return f"_{hint.__name__}"
        NEEDED.add(f"import {hint.__module__}")
        return f"{hint.__module__}.{hint.__qualname__}"
    return "typing.Any"


def _hint(text, scope):
    if not isinstance(text, str):
        return text
    try:
        return eval(text, scope)
    except NameError:
        return Any


def result(name, f, scope):
    """What a function returns."""
    if RETURNS.get(name) is not None:
        return RETURNS[name]
    if isinstance(f, Op):
        return _TENSORS if f.many else "Tensor"
    hint = _hint(inspect.signature(f).return_annotation, scope)
    return "Tensor" if hint in (Any, inspect.Signature.empty) else shown(hint)


def in_numpys_words(f, parameters):
    """The parameters as a call in NumPy's words has them: arrays by NumPy's names, and the options that it adds."""
    peer = numpys_function(f)
    if peer is None or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return parameters
    option = functools.partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Any)
    if isinstance(peer, np.ufunc):
        further = ["out"] if peer.signature else ["out", "where"]
        return [*parameters, *(option(name) for name in further if name not in {p.name for p in parameters})]
    theirs = numpys_parameters(peer) or ()
    alone = [k for k, p in enumerate(parameters) if p.kind is p.POSITIONAL_ONLY]
    names = [p.name for p in theirs[: len(alone)] if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(names) == len(alone) and not {*names} & {p.name for p in parameters[len(alone) :]}:
        named = [p.replace(name=n, kind=p.POSITIONAL_OR_KEYWORD) for n, p in zip(names, parameters, strict=False)]
        parameters = [*named, *parameters[len(alone) :]]
    masked = getattr(rec, f"masked_{title(f)}", None) if hasattr(rec, f"masked_{title(f)}") else None
    further = [
        n for n in ("where", "initial", "mean", "weights") if masked and n in inspect.signature(masked).parameters
    ]
    further += ["out"] if "out" in {p.name for p in theirs} else []
    rest = [option(name) for name in further if name not in {p.name for p in parameters}]
    last = [p for p in parameters if p.kind is p.VAR_KEYWORD]
    return [*(p for p in parameters if p not in last), *rest, *last]


def signature(name, f, skip=0):
    """`(x: typing.Any, /, axis: builtins.int | None = ...) -> Tensor` of a function."""
    plain = inspect.unwrap(getattr(f, "plain", f))
    scope = getattr(plain, "__globals__", {})
    parameters = [*inspect.signature(f).parameters.values()][skip:]
    if not skip:
        parameters = in_numpys_words(f, parameters)
    parts, kinds = [], [p.kind for p in parameters]
    for k, p in enumerate(parameters):
        if p.kind is p.KEYWORD_ONLY and p.KEYWORD_ONLY not in kinds[:k] and p.VAR_POSITIONAL not in kinds[:k]:
            parts.append("*")
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        hint = Any if p.annotation is p.empty else _hint(p.annotation, scope)
        kind = KNOWN[p.name] if hint is Any and p.name in KNOWN else shown(hint)
        parts.append(f"{star}{p.name}: {kind}{'' if p.default is p.empty else ' = ...'}")
        if p.kind is p.POSITIONAL_ONLY and kinds[k + 1 : k + 2] != [p.POSITIONAL_ONLY]:
            parts.append("/")
    if skip:
        parts = ["self", *(p for k, p in enumerate(parts) if not (k == 0 and p == "/"))]
    return f"({', '.join(parts)}) -> {result(name, f, scope)}"


def _options(f):
    """The keyword-only parameters of a function."""
    whole = signature("", f)
    return whole[whole.index("*, ") + 3 : whole.index(") ->")]


def function(name, f):
    if name not in TYPED:
        return f"def {name}{signature(name, f)}: ..."
    lines = [line.replace("OPTIONS", _options(f) if "OPTIONS" in line else "") for line in TYPED[name]]
    overlap = "  # type: ignore[overload-overlap]" if name == "compile" else ""  # a module is callable
    heads = [overlap, *[""] * len(lines)]
    return "\n".join(f"@overload\ndef {name}{line}: ...{head}" for line, head in zip(lines, heads, strict=False))


def constant(name, value):
    if isinstance(value, type) and value.__module__ == "numpy":
        return f"from numpy import {value.__name__} as {name}"
    return f"{name}: {shown(type(value))}"


def stub(module, top=False):
    """The text for a room."""
    NEEDED.clear()
    imports, body = [], []
    place = module.__name__.removeprefix(f"{tm.__name__}").lstrip(".")
    for name in dir(module):
        if name == "__version__":
            continue
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            home, _, last = thing.__name__.rpartition(".")
            imports.append(f"from {_relative(home, module)} import {last} as {name}")
        elif isinstance(thing, type) and thing.__module__.startswith(tm.__name__):
            if thing is not tm.Tensor:
                imports.append(f"from {_relative(thing.__module__, module)} import {thing.__name__} as {name}")
        elif callable(thing) and not isinstance(thing, type):
            body.append(function(name, thing))
        elif isinstance(thing, type) or not callable(thing):
            (imports if isinstance(thing, type) else body).append(constant(name, thing))
    for name, ours in sorted(SAME.get(place, {}).items()):
        if ours.startswith("numpy:"):
            imports.append(f"from numpy import {ours[6:]} as {name}")
        elif "." not in ours:
            body.append(f"{name} = {ours}" if top else f"from .. import {ours} as {name}")
        elif top and not ours.startswith("transforms."):
            body.append(f"{name} = {ours}")
        elif not ours.startswith(f"{place}."):
            home, _, last = ours.rpartition(".")
            imports.append(f"from {'.' if top else '..'}{home} import {last} as {name}")
        else:
            body.append(f"{name} = {ours.rpartition('.')[2]}")
    return HEAD + PREAMBLE + "\n".join([*sorted(NEEDED), *imports, TOP if top else "", *body]) + "\n"


def _relative(home, module):
    inner = module.__name__
    if home == tm.__name__:
        return "." if inner == tm.__name__ else ".."
    if home.startswith(f"{inner}."):
        return home.removeprefix(inner)
    return f"{'..' if inner != tm.__name__ else '.'}{home.removeprefix(tm.__name__ + '.')}"


def methods():
    """The text for the methods of a Tensor."""
    NEEDED.clear()
    lines = [f"    def {name}{signature(name, getattr(rec, name), skip=1)}: ..." for name in NAMES]
    heading = [*sorted(NEEDED), "", "NAMES: builtins.tuple[builtins.str, ...]", "", "class Methods:"]
    return HEAD + PREAMBLE.replace("Tensor as Tensor", "Tensor") + "\n".join([*heading, *lines]) + "\n"


def texts():
    """path -> text, of every stub."""
    return {
        ROOT / "__init__.pyi": stub(tm, top=True),
        ROOT / "linalg" / "__init__.pyi": stub(tm.linalg),
        ROOT / "special" / "__init__.pyi": stub(tm.special),
        ROOT / "core" / "methods.pyi": methods(),
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text)
