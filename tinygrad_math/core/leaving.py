"""How a Tensor leaves the recorded world: as an array, a number, a list, a copy, a line of text.

While a transform runs, what it differentiates leaves by `detach()` and `item()` only, which say so; the truth of a
comparison stays possible, and so does text, of which f"{x:.3f}" is no number again meanwhile. What a finished transform
or `backward` differentiated is free to go.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any, Never, TypeVar, cast

import numpy as np

from . import showing
from .arguments import of_tensor, refuse_words
from .elsewhere import instead_of
from .errors import DTypeError, NeedsDetach, ShapeError, TraceError, describe, numeric_dtype
from .leaks import leaked
from .mode import watcher
from .node import TRACED, TRANSFORMED, Node, Taken, inside, refused, refused_in_trace, running, unknown, unshown
from .notebook import bundle
from .op import rec
from .place import is_library, stranger
from .texts import Digits, at_users_line

if TYPE_CHECKING:
    from .tensor import Tensor


T = TypeVar("T")
_INSTEAD = (
    "Use this package's functions in place of Python's and SciPy's (tm.exp for math.exp), and stack() or "
    "x.at[i].set(v) in place of writing into an array."
)


def _by_array_api() -> str:
    """What to write in place of a library's function that asks, or what makes SciPy and scikit-learn take Tensors."""
    frame: Any = sys._getframe(1)
    called = []
    while frame is not None:
        home = str(frame.f_globals.get("__name__"))
        if home.partition(".")[0] in ("scipy", "sklearn"):
            called += _names(frame, home)
        elif not is_library(frame.f_code.co_filename):  # who wrote the call
            break
        frame = frame.f_back
    if not called:
        return ""
    library = called[0][0].partition(".")[0]
    ours = next(filter(None, (instead_of(home, name) for home, name in reversed(called))), None)  # the outermost known
    advice = "" if ours is None else f" In its place write {ours}."
    if not os.environ.get("SCIPY_ARRAY_API"):  # as SciPy reads it: "0" switches it on, too
        switch = "SCIPY_ARRAY_API=1 in the environment, before SciPy is imported"
    elif library == "sklearn":
        switch = "sklearn.set_config(array_api_dispatch=True)"
    else:
        return f"{advice} {_lifting(called)}."
    return f"{advice} Many of {library}'s functions keep the gradient with {switch}. {_lifting(called)}."


def _lifting(called: list[tuple[str, str]]) -> str:
    """The view of the outermost public module that was called, which takes Tensors for arrays."""
    parts = called[-1][0].split(".")
    public = ".".join(parts[: next((k for k, part in enumerate(parts) if part.startswith("_")), len(parts))])
    return f"Through tm.lift({public}) its code has a derivative where it can be followed"


def _names(frame: Any, home: str) -> list[tuple[str, str]]:
    """The module and name of what a frame runs: of a method with its distribution's, of a wrapper what it wraps."""
    code, known = frame.f_code, frame.f_locals
    distribution = getattr(known.get("self"), "name", None)
    if isinstance(distribution, str):
        return [(home, f"{distribution}.{code.co_name}")]
    wrapped = [f for f in map(known.get, code.co_freevars) if isinstance(f, FunctionType)]
    return [(home, code.co_name), *((f.__module__, f.__name__) for f in wrapped)]


def _meant(name: str) -> bool:
    """Whether who calls a method knows what it does to a gradient.

    The code that is running names it itself, for compiled code that it called does not show; and it is no library's
    that takes Tensors for NumPy's numbers.
    """
    frame = sys._getframe(2)
    return (name in frame.f_code.co_names or name in frame.f_code.co_consts) and not stranger(frame)


def _columns(tensor: Leaving) -> np.ndarray[Any, Any]:
    array = tensor.__array__()
    if array.ndim not in (1, 2):
        raise ShapeError(f"a column has one axis and a table two, got shape {array.shape}; use reshape or item()")
    if array.dtype.kind == "c":
        raise DTypeError(f"Arrow has no complex numbers; use .real and .imag, got {describe(array)}")
    return array


def _in_arrow(array: np.ndarray[Any, Any]) -> Any:
    """An array as Arrow's: the columns of a table have the names that polars gives to nameless ones."""
    arrow = import_module("pyarrow")
    if array.ndim == 1:
        return arrow.array(array)
    names = [f"column_{k}" for k in range(array.shape[1])]
    return arrow.StructArray.from_arrays([arrow.array(np.ascontiguousarray(c)) for c in array.T], names)


def _arrow(tensor: Leaving, requested_schema: Any = None) -> Any:
    return _in_arrow(_columns(tensor)).__arrow_c_array__(requested_schema)


def _listed(x: Any) -> Any:
    """Nested lists of the elements, each of which is differentiated still."""
    return [_listed(row) for row in x] if x.shape else x


VIEW = "__lifted__"  # a global name of code that `lift` made a view of


def _in_view(name: str) -> bool:
    """Whether a method was called by its name in a view of a library's code, which takes Tensors for its arrays."""
    frame = sys._getframe(2)
    return VIEW in frame.f_globals and name in frame.f_code.co_names


class Leaving:
    """The conversions of a Tensor. None drops a gradient silently, and none asks a traced value for its number."""

    __slots__ = ()
    if TYPE_CHECKING:
        node: Node

        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def size(self) -> int: ...
        @property
        def dtype(self) -> np.dtype[Any]: ...
        @property
        def data(self) -> np.ndarray[Any, Any]: ...
        @property
        def name(self) -> str | None: ...
        @property
        def requires_grad(self) -> bool: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def _rows(self, backwards: bool = False) -> Iterator[Tensor]: ...

    def _refuse_trace(self, what: str, instead: str = "") -> None:
        """Refuse to hand out a value that is not known yet; `instead` says what else to do than to choose by it."""
        if unknown(self.node):
            if watcher() is None:
                raise leaked(self.node, what)
            over = getattr(watcher(), "over", "")
            static = "" if over else ", or make the argument that decides static (static_argnums of compile)"
            index = " For array[index] write tm.tensor(array)[index]." if what == "an array of NumPy's" else ""
            raise refused_in_trace(
                TraceError(
                    f"{what} asks for a value, but this function is being traced{over} and {self!r} has none yet. "
                    f"{instead or f'Use where() in place of an if{static}.{index}'}"
                )
            )

    def _differentiated(self) -> bool:
        """Whether a transform that is running differentiates this value."""
        return bool(self.node.live & TRANSFORMED) and self.dtype.kind in "fc" and inside(self.node)

    def _moving(self) -> bool:
        """Whether a trace or a transform is running that knows this value."""
        return bool(self.node.live & TRACED) or self._differentiated()

    def _leave(self, what: str, instead: str = "") -> None:
        """Refuse to hand out the value as something that forgets how it was made, where that would be a mistake."""
        self._refuse_trace(what, instead)
        if self._differentiated():
            where = at_users_line(3)
            raise refused(
                self.node,
                NeedsDetach(
                    f"{what} would drop the gradient of {describe(self)}, which is being differentiated. "
                    f"{instead or _INSTEAD}{_by_array_api()} If a constant is meant, say x.detach() or x.item().{where}"
                ),
            )

    @of_tensor
    def numpy(self, **words: Never) -> np.ndarray[Any, Any]:
        """A copy as a NumPy array; raises NeedsDetach if the tensor requires a gradient."""
        if words:
            refuse_words(Leaving.numpy, words)
        return np.array(self.__array__())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._moving() and _in_view("__array__"):
            return cast("np.ndarray[Any, Any]", self)
        self._leave("an array of NumPy's")
        if self.requires_grad:
            one = ", or .item() for a number," if self.size == 1 else ""
            raise NeedsDetach(
                f"NumPy would drop the gradient of this tensor silently; use .detach().numpy(){one} if that is meant, "
                f"or tinygrad_math's function of the same name.{_by_array_api()}"
            )
        if not copy and dtype in (None, self.dtype) and (copy is False or self._is_blank()):
            return self.data  # watched from now on
        return np.array(self.node.data, dtype=dtype, copy=True if copy is None else copy)

    def _is_blank(self) -> bool:
        """Whether it waits for values, as `np.empty_like` makes one: what is written to its array belongs to it."""
        meta = self.node.meta
        return meta is not None and meta.blank

    def to_numpy(self, dtype: Any = None, copy: bool = False, na_value: Any = None) -> np.ndarray[Any, Any]:
        """`x.numpy()`, under pandas' name and with its words: by it, other libraries know what holds an array."""
        array = self.numpy()
        if dtype is None:
            return array
        try:
            return array.astype(dtype)
        except (TypeError, ValueError, RuntimeError):  # what NumPy says of what it cannot read as a dtype
            numeric_dtype(dtype)  # raises, with what a dtype is
            raise

    @property
    def __arrow_c_array__(self) -> Any:
        """Arrow's door, where pyarrow is there: a column, or the columns of a table."""
        if find_spec("pyarrow") is None:
            raise AttributeError("pyarrow is not installed", name="__arrow_c_array__")
        return partial(_arrow, self)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's other door, by polars where that has been imported, else by pyarrow."""
        polars, array = sys.modules.get("polars"), _columns(self)
        if polars is None:
            door = import_module("pyarrow").chunked_array([_in_arrow(array)])
        else:
            door = (polars.Series if array.ndim == 1 else polars.DataFrame)(array)
        return door.__arrow_c_stream__(requested_schema)

    def _sympy_(self) -> Any:
        """SymPy's door: a number, or an array of numbers, that no derivative knows of."""
        numbers = self.__array__().tolist()
        sympy = sys.modules["sympy"]
        return sympy.sympify(numbers) if not self.shape else sympy.ImmutableDenseNDimArray(numbers)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The array for another library, without a copy where possible; a gradient does not cross over."""
        asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        array = np.asarray(self.__array__())
        return array.__dlpack__(**{k: v for k, v in asked.items() if v is not None})  # NumPy 2.0 knows stream alone

    def __dlpack_device__(self) -> tuple[Any, int]:
        return np.zeros(0).__dlpack_device__()

    def to_device(self: T, device: Any, /, *, stream: Any = None) -> T:
        """The tensor itself: there is one device, "cpu"."""
        if not isinstance(device, str) or device != "cpu" or stream is not None:
            raise DTypeError(
                f"to_device({describe(device)}, stream={describe(stream)}): all is on 'cpu', and without streams"
            )
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The namespace of the Array API's functions: this package."""
        return rec.array_namespace(api_version)

    def item(self) -> Any:
        """The single number as a Python scalar."""
        self._refuse_trace("item()")
        if self.size != 1:
            raise ShapeError(f"item() needs a single number, got shape {self.shape}; use tolist()")
        if self._differentiated() and _in_view("item"):
            return self[(0,) * len(self.shape)]
        if self._differentiated() and not _meant("item"):  # nobody says that a constant is meant
            self._leave("item(), which a library or compiled code called,")
        return np.asarray(self.node.data).item()

    def tolist(self) -> Any:
        """Nested Python lists of Python numbers."""
        if self._differentiated() and _in_view("tolist"):
            return _listed(self)
        self._leave("tolist()")
        return np.asarray(self.node.data).tolist()

    def __bool__(self) -> bool:
        self._refuse_trace("bool()")
        if self.size != 1:
            raise ShapeError(f"the truth of shape {self.shape} is ambiguous; use .any() or .all()")
        return bool(self.node.data)

    def _number(self, asker: str) -> Any:
        self._leave(asker)
        if self.size != 1:
            raise DTypeError(f"{asker} needs a single number, got shape {self.shape}")
        number = np.asarray(self.node.data).item()
        if isinstance(number, complex) and asker != "complex()":
            raise DTypeError(f"{asker} would drop the imaginary part of {number}; take .real or abs() first")
        return number

    def __float__(self) -> float:
        return float(self._number("float()"))

    def __int__(self) -> int:
        return int(self._number("int()"))

    def __complex__(self) -> complex:
        return complex(self._number("complex()"))

    def __index__(self) -> int:
        self._refuse_trace("an index")
        if (
            self.shape or self.dtype.kind not in "iu"
        ):  # NumPy asks first: what is no index is read as an array or a mask
            raise DTypeError(f"an index is a single integer, got {self.dtype}{self.shape}; convert with int()")
        return int(np.asarray(self.node.data).item())

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        len(self)  # 0-d raises at once
        if (
            len(self.shape) == 1
            and not self.node.live
            and str(sys._getframe(1).f_globals.get("__name__")).startswith("pandas.")
        ):
            return iter(self.__array__())  # it looks for its own numbers among them
        return self._rows()

    def __reversed__(self) -> Iterator[Tensor]:
        len(self)
        return self._rows(backwards=True)

    def __repr__(self) -> str:
        if isinstance(self.node, Taken):
            return f"tensor<donated as {self.node.by}>"
        if unshown(self.node):
            return f"tensor<{self.dtype}{self.shape}, traced>"
        return showing.text(self.node.data, self.name, self.requires_grad)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: never an error."""
        if self.node.live & TRACED or isinstance(self.node, Taken):
            return bundle(self)
        return bundle(self, html=lambda: showing.markup(self.node.data, self.name, self.requires_grad))

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        text = format(self.item(), spec)
        run = running(self.node) if self._differentiated() else None
        return text if run is None else Digits.of(text, describe(self), run).refuse_reader(sys._getframe(1))
