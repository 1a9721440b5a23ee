"""Tensor: an array that remembers how it was made, and the recording of what is done to it.

A `Node` is the memory: the op, its inputs, the value. A `Tensor` is a handle on a node, and all that
a user keeps: the gradient lies on the handle, so a graph never points back at its own gradient and
no reference cycle arises. Assignment moves the handle to a new node; whoever used the old one keeps it.
"""

from __future__ import annotations

import operator
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from numbers import Rational
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .arguments import as_flag, is_about_arguments
from .at import At, Hook
from .errors import (
    ArgumentError,
    ChangedAfterUse,
    DTypeError,
    HasUnits,
    MathError,
    NoGradient,
    NotALeaf,
    ShapeError,
    TraceError,
    describe,
    explain_failure,
    numeric_dtype,
    refuse_object,
)
from .foreign import DOORS, PRIORITY, answer, answer_ufunc, decides, has_functions, has_ufuncs, refuses
from .leaving import Leaving
from .methods import Methods
from .mode import MODE as MODE
from .mode import Mode as Mode
from .mode import no_grad as no_grad
from .mode import tell, watcher
from .mode import under as under
from .node import DIFFERENTIABLE as DIFFERENTIABLE
from .node import NO_PARAMS, TRANSFORMED, Constant, held, in_native_order, scalar_or_array
from .node import TRACED as TRACED
from .node import Meta as Meta
from .node import Node as Node
from .node import clock as clock
from .op import Op, by_ufunc, registry
from .op import rec as rec
from .parts import ASSIGNMENT, AT, METHOD, Parts, counts, references
from .past import overwrite
from .torch_names import TorchNames

_PYTHON_NUMBERS = frozenset({float, int, bool, complex})
_NUMPYS_NUMBERS = {np.dtype(char).type for char in "?bBhHiIlLqQefdgFDG"}
_SURE = _PYTHON_NUMBERS | _NUMPYS_NUMBERS | {np.ndarray, list, tuple}  # operands that are ours to take
_FLOAT64, _DOUBLE = np.float64, np.dtype("float64")
_HOT_DTYPES = frozenset({np.dtype("float64"), np.dtype("float32")})
_innermost = MODE.innermost


def record(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Compute `op` of `args` and remember it if any argument is live."""
    known: tuple[Node, ...]
    if len(args) == 1 and isinstance(args[0], Tensor):  # the most frequent call, without a loop
        n = args[0].node
        known, live = (n,), n.live
        try:
            data = op.forward(n.data, **params) if params else op.forward(n.data)
        except Exception as error:
            return _once_more(op, args, known, [n.data], params, error)
    else:
        foreign, live, values, inputs = False, 0, [], []
        for a in args:
            if isinstance(a, Tensor):
                n = a.node
            else:
                n, foreign = node_of(a), True
            live |= n.live
            inputs.append(n)
            values.append(n.data)
        try:
            data = op.forward(*values, **params) if params else op.forward(*values)
        except Exception as error:
            return _once_more(op, args, inputs, values, params, error)
        if foreign:
            if data.__class__ is not _FLOAT64:
                if getattr(data, "dtype", _DOUBLE).hasobject:
                    refuse_object(data, op.name)
                data = _apart(data, values)
            known = tuple(map(held, inputs)) if live else tuple(inputs)
        else:
            known = tuple(inputs)
    if data is None:
        refuse_object(data, op.name)
    if _innermost() is not None or op.constant or op.many:
        return _remember(op, data, known, params, live)
    t = _new(Tensor)
    t.node = node = _new(Node)  # `Node(...)` in half the time: Python's way to an `__init__` is long
    if not live:
        op, known, params = None, (), NO_PARAMS  # type: ignore[assignment]
    node.data, node.op, node.inputs, node.params, node.live = data, op, known, params, live
    node.tick, node.meta = clock(), None
    return t


def _once_more(
    op: Op,
    args: tuple[Any, ...],
    inputs: Sequence[Node],
    values: list[Any],
    params: Mapping[str, Any],
    error: Exception,
) -> Any:
    """What an op that failed gives of arrays in the place of Python numbers, which have no shape; else the error."""
    numbers = [type(v) in _PYTHON_NUMBERS and not n.live for v, n in zip(values, inputs, strict=True)]
    if not (isinstance(error, AttributeError) and any(numbers)):
        if not is_about_arguments(error):
            raise
        raise explain_failure(op.name, tuple(values), dict(params), error) from error
    given = zip(args, values, numbers, strict=True)
    return record(op, tuple([_as_array(v) if number else a for a, v, number in given]), params)


def _as_array(number: Any) -> Any:
    array = np.asarray(number)
    refuse_object(array, "tensor")
    return array


def _apart(data: Any, values: Sequence[Any]) -> Any:
    """A result that is no view of an array of the caller's, who may write to it."""
    if type(data) is tuple or type(data) is list:
        return tuple(_apart(part, values) for part in data)
    if not isinstance(data, np.ndarray) or (data.base is None and id(data) not in map(id, values)):
        return data
    if not any(isinstance(v, np.ndarray) and np.may_share_memory(data, v) for v in values):
        return data
    once = data[tuple(slice(None) if step else slice(1) for step in data.strides)]  # what is repeated is copied once
    return np.broadcast_to(once.copy(), data.shape) if once.size < data.size else data.copy()


def _remember(op: Op, data: Any, inputs: tuple[Node, ...], params: Mapping[str, Any], live: int) -> Any:
    """A handle on the result; its node knows its history if somebody wants it."""
    watch, told = None, False
    mode = MODE.innermost()
    if mode is not None and (mode := MODE.get()) is not None:
        watch, told = mode.observe, bool(mode.witnesses)
    if live and (op.constant or (mode is not None and not mode.differentiable)):
        live &= TRACED
    node = Node(data, op, inputs, params, live) if live or watch is not None else Node(data)
    if watch is not None:
        watch(node)
    if told:
        tell(node, op, inputs, params)
    if op.many:
        return _parts(node)
    t = _new(Tensor)
    t.node = node
    return t


def _parts(whole: Node) -> tuple[Tensor, ...]:
    """The handles of a many-valued result."""
    if not whole.live:
        parts = tuple(wrap(Node(part)) for part in whole.data)
        if MODE.innermost() is not None:
            for k, part in enumerate(parts):
                tell(part.node, select, (whole,), {"index": k})
        return parts
    return tuple(record(select, (wrap(whole),), {"index": k}) for k in range(len(whole.data)))


def node_of(value: Any) -> Node:
    """The node of a Tensor, or a constant node for an array, a number or a nested list.

    A Python number stays one, so that it takes on the dtype of what it meets.
    """
    kind = type(value)
    if kind in _PYTHON_NUMBERS or (kind is np.ndarray and value.dtype in _HOT_DTYPES):
        node: Node = _new(Constant)
        node.data = value
        return node
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, (list, tuple, range)):
        if _examined(value):
            return cast(Node, rec.stack([as_tensor(v) for v in value]).node)
        try:
            value = np.asarray(value)
        except Exception as error:
            if not is_about_arguments(error):
                raise
            raise ShapeError(f"expected a list of rows of one length, got {describe(value)}: {error}") from error
    elif kind is not np.ndarray and not isinstance(value, np.generic):
        value = _plain(value)
    if value.dtype.kind not in "biufc":
        advice = "a ragged list or text has no numeric dtype"
        if value.dtype.hasobject and value.size:
            first = type(value.reshape(-1)[0]).__name__
            advice = f"of {first}: a Tensor holds floating numbers; convert Fractions and such with astype(float)"
        raise DTypeError(f"expected an array of numbers, got dtype {value.dtype}; {advice}")
    return Constant(value if value.dtype.isnative else in_native_order(value))


def _plain(value: Any) -> np.ndarray[Any, Any]:
    """The plain array of a matrix, a labelled array, another library's: the same values, and nothing else.

    Raises where the values alone would mean something else: where some are masked, or have units.
    """
    _refuse_more_than_values(value)
    if not isinstance(value, np.ndarray) and not any(hasattr(value, door) for door in DOORS):
        dense = "; make it dense: .toarray()" if hasattr(value, "toarray") else ""
        if hasattr(type(value), "__float__"):  # a Fraction, a Decimal, a symbolic expression
            dense = "; a Tensor holds floating numbers, and is not exact: convert it with float()"
        raise DTypeError(
            f"expected numbers, an array or a Tensor, got {type(value).__name__}: {describe(value)}{dense}"
        )
    try:
        return np.asarray(value)
    except MathError:
        raise
    except Exception as error:  # whatever the conversion of another library's array says
        raise DTypeError(
            f"a {type(value).__name__} that cannot become an array: {describe(value)}: {error}. Convert it to NumPy"
        ) from error


def _refuse_more_than_values(value: Any) -> None:
    title = f"{type(value).__module__.partition('.')[0]}'s {type(value).__name__}"
    mask = value.mask if hasattr(type(value), "mask") else False
    if not callable(mask) and np.any(mask):
        raise DTypeError(
            f"{title} has masked elements, which a Tensor has not; say what they count as, a.filled(0), or choose the "
            "others, a.compressed()"
        )
    for unit in ("units", "unit"):
        if hasattr(type(value), unit) or unit in getattr(value, "__dict__", ()):
            raise HasUnits(
                f"{title} has units ({getattr(value, unit)}), which a Tensor has not; convert it to the units that you "
                "mean and pass its numbers: its .value or .magnitude"
            )


def _examined(value: Any, depth: int = 0) -> bool:
    """Whether a nested list mentions a Tensor; raises if it mentions what has more to it than its values."""
    if isinstance(value, (list, tuple)):
        if depth > 64:  # the most axes that an array can have
            raise ShapeError(f"expected a nested list of numbers, got one of more than 64 levels: {describe(value)}")
        found = False
        for v in value:
            found = _examined(v, depth + 1) or found
        return found
    if isinstance(value, Tensor):
        return True
    kind = type(value)
    if kind not in _PYTHON_NUMBERS and kind is not np.ndarray and not isinstance(value, np.generic):
        _refuse_more_than_values(value)
    return False


_ANSWERS = {
    "less": "__gt__", "greater": "__lt__", "less_equal": "__ge__", "greater_equal": "__le__",
    "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip
_Binary = Callable[["Tensor", Any], "Tensor"]


def _binary(name: str, operate: Callable[[Any, Any], Any]) -> tuple[_Binary, _Binary, _Binary]:
    """`x + y`, `y + x` and `x += y` for the op of this name.

    The hottest path there is: Python's operator is much faster than the ufunc on NumPy's scalars.
    """

    compares = name in ("equal", "not_equal")
    spoken = f"__{operate.__name__.rstrip('_')}__"
    reply = _ANSWERS.get(name, f"__r{spoken[2:]}")

    def forward(self: Tensor, other: Any) -> Tensor:
        op, x = registry[name], self.node
        if isinstance(other, Tensor):
            y = other.node
        else:
            if other.__class__ is float:
                y = _new(Constant)
                y.data = other
            else:
                if other.__class__ not in _SURE:
                    if isinstance(other, Rational) and not isinstance(other, np.generic):  # NumPy's integers are too
                        other = float(other)  # as Python does for a float
                    strange = compares and not _is_numeric(other)  # x == None is False
                    if strange or decides(other, reply, x):
                        if compares and x.live and refuses(other):  # the answer to a question has no derivative
                            return cast(Tensor, operate(self.detach(), other))
                        return cast(Tensor, NotImplemented if strange else _theirs(self, other, reply))
                y = _operand(other, x)
        try:
            data = operate(x.data, y.data)
        except ZeroDivisionError:  # of two Python numbers
            data = op.forward(x.data, y.data)
        except Exception as error:
            if not is_about_arguments(error):
                raise
            raise explain_failure(name, (x.data, y.data), {}, error) from error
        if type(data) is complex:  # Python's answer to 1j * np.float64, which has no dtype
            data = op.forward(x.data, y.data)
        live = x.live | y.live
        if not live or op.constant or _innermost() is not None:
            return _remember(op, data, (x, y), NO_PARAMS, live)  # type: ignore[no-any-return]
        t: Tensor = _new(Tensor)
        t.node = node = _new(Node)
        node.data, node.op, node.inputs, node.params, node.live = data, op, (x, y), NO_PARAMS, live
        node.tick, node.meta = clock(), None
        return t

    def reflected(self: Tensor, other: Any) -> Tensor:
        if other.__class__ is float:
            return forward(wrap(Constant(other)), self)
        if other.__class__ not in _SURE:
            if refuses(other):
                return cast(Tensor, NotImplemented)
            if isinstance(other, Rational) and not isinstance(other, np.generic):
                other = float(other)
            elif decides(other, spoken, self.node):
                found = _theirs(self, other, spoken)
                if found is not NotImplemented:
                    return cast(Tensor, found)
        return forward(wrap(_operand(other, self.node)), self)

    def in_place(self: Tensor, other: Any) -> Tensor:
        node = self.node
        if node.op is not None or not node.live:  # a leaf that requires a gradient is no row of a loop
            self._refuse_row()
        result = forward(self, other)
        if not isinstance(result, Tensor) or (node.data.__class__ is not np.ndarray and self._is_number()):
            return result
        return self._become(result)

    return forward, reflected, in_place


def _theirs(tensor: Tensor, other: Any, method: str) -> Any:
    """What another library's object answers, asked again with the array where it knows no Tensors."""
    return NotImplemented if tensor.node.live else answer(other, method, tensor, _array(tensor.node))


def _array(node: Node) -> Any:
    """A constant as another library's operator knows it: an array, or a number of NumPy's."""
    return np.array(node.data)[()]


def _somebody_elses(inputs: Sequence[Any]) -> bool:
    """Whether a ufunc of these arguments is another library's to compute."""
    live = 0
    others = []
    for v in inputs:
        if isinstance(v, Tensor):
            live |= v.node.live
        elif v.__class__ not in _SURE:
            others.append(v)
    return any(has_ufuncs(v, live) for v in others)


def _operand(value: Any, beside: Node) -> Node:
    """The node of an operand that is no Tensor; a copy where it is kept, as it is beside what is live or watched."""
    return held(node_of(value)) if beside.live or MODE.get() is not None else node_of(value)


def _is_numeric(value: Any) -> bool:
    """Whether an array of numbers can be made of a value."""
    numbers = (int, float, complex, np.ndarray, np.generic, list, tuple, range)
    return isinstance(value, numbers) or hasattr(value, "__array__") or hasattr(value, "__dlpack__")


def _unary(name: str) -> Callable[[Tensor], Tensor]:
    ops = rec.__dict__
    return lambda self: ops[name](self)


class Tensor(Leaving, TorchNames, Parts, Methods):
    """An n-dimensional array of numbers that records what is done to it.

    Arguments: nested lists, numbers, an ndarray (copied) or a Tensor; `requires_grad` makes it a leaf
    that `backward` fills with a gradient (floating or complex dtypes only); `name` shows in drawings.

    Tensors are values. Assignment, `x[i] = v` or `x += v`, is recorded and gives x another value; what was made of x
    before keeps what it held, and so does a part that has a name: `row = x[0]; row[1] = 5.0` leaves x as it was. A
    write into a part without one, `x[0][1] = 5.0`, raises LostWrite; write `x[0, 1] = 5.0`. Of 0-d results `+=` makes
    new ones, as of NumPy's scalars.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_grad", "node")
    __hash__ = object.__hash__
    node: Node
    _grad: Any  # the gradient, or None; as the walk left it, the array of one

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None, dtype: Any = None) -> None:
        self._grad = None
        source = node_of(data)
        if requires_grad.__class__ is not bool:
            if isinstance(requires_grad, int) and requires_grad not in (0, 1):
                raise ArgumentError(
                    f"tensor: requires_grad is True or False, got {requires_grad}. The values are one argument, "
                    "tensor([3, 4]); a tensor of a shape is made by zeros((3, 4))"
                )
            requires_grad = as_flag(requires_grad, "tensor: requires_grad")
        if dtype is not None:
            dtype = numeric_dtype(dtype)
            if np.asarray(source.data).dtype.kind == "c" and dtype.kind not in "cb":
                raise DTypeError(f"a tensor of {dtype} would lose the imaginary part of {describe(source.data)}")
        outside = source.live or (watcher() is not None and not isinstance(source, Constant))
        if requires_grad and outside:
            wrap(source)._leave("tensor(x, requires_grad=True)", "Take x itself, or x.copy().")
        if requires_grad or not outside:
            array = np.array(source.data, dtype=dtype)
            refuse_object(array, "tensor")
            self.node = Node(scalar_or_array(array))
        else:
            self.node = (rec.copy(wrap(source)) if dtype is None else rec.astype(wrap(source), dtype)).node
        if name is not None:
            self.name = name
        if requires_grad:
            self.requires_grad = True

    # -- what it is ---------------------------------------------------------------------------------
    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array itself. Writing to it is noticed: a derivative that would need the old value raises.

        What was made of the tensor before keeps what it held. Where the tensor takes on other values (an optimiser's
        step, an assignment under no_grad) the array keeps the old ones, and can no longer be written to.
        """
        self._leave("data")
        node = self.node
        window = node.more().window
        if window is None:
            window = np.array(node.data)
            if not hasattr(node.data, "dtype"):  # a Python number
                node.data = window.copy()[()]
            if type(node) is Node:
                node.share(window)
            else:  # an input of a transform that is over
                window.flags.writeable = False
        return cast("np.ndarray[Any, Any]", window)

    @data.setter
    def data(self, value: Any) -> None:
        self._leave("assigning data", "Assign to x itself, x[...] = v, or make a new tensor.")
        if isinstance(value, Tensor):
            value._leave("assigning it to another tensor's data", "Use the tensor itself in its place.")
        meta = self.node.meta
        if meta is not None and value is meta.window and value is not None:
            return  # x.data -= v has written already
        array = np.asarray(node_of(value).data)
        if array.shape != self.shape:
            raise ShapeError(f"data of shape {self.shape} cannot be replaced by shape {array.shape}; make a new tensor")
        self.node.replace(scalar_or_array(array.astype(self.dtype)))

    def _replace(self, array: Any) -> None:
        """New contents for this leaf, in place: what used the old ones can no longer be differentiated."""
        meta = self.node.meta
        given = meta is not None and meta.given
        window = self.node.replace(array)
        if window is not None and not given:
            window.flags.writeable = False  # it shows the old values: a write to it would be lost

    @property
    def shape(self) -> tuple[int, ...]:
        try:
            return self.node.data.shape  # type: ignore[no-any-return]
        except AttributeError:  # a Python number
            return ()

    @shape.setter
    def shape(self, shape: Any) -> None:
        if self.node.op is None and self.requires_grad:
            raise NotALeaf(
                "the shape of a leaf that requires a gradient is its gradient's too; use y = x.reshape(shape)"
            )
        self.node = rec.reshape(self, shape).node

    @property
    def ndim(self) -> int:
        try:
            return self.node.data.ndim  # type: ignore[no-any-return]
        except AttributeError:  # a Python number
            return 0

    @property
    def size(self) -> int:
        try:
            return self.node.data.size  # type: ignore[no-any-return]
        except AttributeError:
            return 1

    @property
    def dtype(self) -> np.dtype[Any]:
        try:
            return self.node.data.dtype  # type: ignore[no-any-return]
        except AttributeError:
            number: Any = np.asarray(self.node.data)
            return number.dtype  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def T(self) -> Tensor:
        return rec.transpose(self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        return rec.matrix_transpose(self)  # type: ignore[no-any-return]

    @property
    def name(self) -> str | None:
        return self.node.name

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise ArgumentError(f"a name is text, got {describe(value)}")
        self.node.more().name = value

    @property
    def real(self) -> Tensor:
        return rec.real(self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        return rec.imag(self)  # type: ignore[no-any-return]

    @property
    def at(self) -> At:
        """`x.at[index].set(v)`, `.add(v)`, `.multiply(v)`: a changed copy, differentiable in x and in v."""
        return At(self)

    # -- what it needs ------------------------------------------------------------------------------
    @property
    def requires_grad(self) -> bool:
        return bool(self.node.live & DIFFERENTIABLE) and self.dtype.kind in "fc"

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        node = self.node
        if node.op is not None or node.live & TRANSFORMED:
            if not wanted or not node.live & DIFFERENTIABLE:
                what = f"the result of {node.op.name}" if node.op is not None else "what a transform differentiates"
                raise NotALeaf(f"requires_grad belongs to leaves; this is {what}: use detach()")
            return
        if wanted and self.dtype.kind not in "fc":
            raise DTypeError(
                f"a gradient needs a floating or complex dtype, got {self.dtype}; use 1.0 or astype(float)"
            )
        self._grad = self.grad
        node.live = node.live | DIFFERENTIABLE if wanted else node.live & ~DIFFERENTIABLE
        node.more().owner = weakref.ref(self) if wanted else None

    @property
    def is_leaf(self) -> bool:
        return self.node.op is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        g = getattr(self, "_grad", None)
        if g is None or isinstance(g, Tensor):
            return g
        with Gradients.lock:
            g = self._grad
            if g is not None and not isinstance(g, Tensor):
                g = wrap(Node(g))  # only now: most gradients are seen by an optimiser alone
                g._grad = None
                self._grad = g
            return g

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = as_tensor(value)
            if value.shape != self.shape:
                raise ShapeError(f"the gradient of a tensor of shape {self.shape} cannot have shape {value.shape}")
            value = in_dtype(value, self.dtype, "the gradient")
            value = wrap(value.node if value.node.live else Node(value.node.data))  # its owner's alone
            value._grad = None
        with Gradients.lock:
            self._grad = value

    def retain_grad(self) -> None:
        """Keep this intermediate result's gradient in `.grad` when `backward` passes."""
        if not (_hooked(self.node, "retain_grad") or self.requires_grad):
            raise NoGradient("retain_grad() on a tensor that does not require a gradient")
        self.node.more().owner = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Hook:
        """Call `hook(gradient)` when it is known; what it returns, if anything, replaces the gradient.

        Returns a handle: its `remove()` takes the hook away again.
        """
        if not (_hooked(self.node, "register_hook") or self.requires_grad):
            raise NoGradient("register_hook() on a tensor that does not require a gradient")
        if not callable(hook):
            raise ArgumentError(f"register_hook() takes a function of the gradient, got {describe(hook)}")
        m, key = self.node.more(), clock()
        if m.hooks is None:
            m.hooks = {}
        m.hooks[key] = hook
        return Hook(m.hooks, key)

    def detach(self) -> Tensor:
        """The same values, cut off from the graph: a constant for every derivative."""
        if self.node.live & TRACED or watcher() is not None:
            return cast(Tensor, rec.stop_gradient(self))
        return wrap(Node(self.node.data))

    # -- NumPy meets a Tensor -----------------------------------------------------------------------
    __array_priority__ = PRIORITY

    __pandas_priority__ = 5000  # pandas leaves its operators to ours, which hand it the array of a constant

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            for k in range(len(kwargs["out"])):  # without a name for it, which would be one more reference
                if isinstance(kwargs["out"][k], Tensor):
                    count = references(kwargs["out"][k])
                    kwargs["out"][k]._refuse_lost(count, counts["__call__", kwargs["out"][k] is self])
        elif method == "at" and isinstance(inputs[0], Tensor):
            count = references(inputs[0])
            inputs[0]._refuse_lost(count, AT)
        if len(inputs) > 1 and _somebody_elses(inputs):
            if kwargs or any(isinstance(v, Tensor) and v.node.live for v in inputs):
                return NotImplemented
            arrays = [_array(v.node) if isinstance(v, Tensor) else v for v in inputs]
            return answer_ufunc(ufunc, method, inputs, arrays, kwargs)
        if method == "__call__" and not kwargs and ufunc in by_ufunc:
            return record(by_ufunc[ufunc], inputs, by_ufunc[ufunc].defaults)
        return rec.numpy_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if len(types) > 1 and any(has_functions(t) and not issubclass(t, Tensor) for t in types):
            return NotImplemented
        if isinstance(kwargs.get("out"), Tensor):
            count = references(kwargs["out"])
            kwargs["out"]._refuse_lost(count, counts["function", kwargs["out"] is self])
        return rec.numpy_function(function, args, kwargs)

    # -- copies -------------------------------------------------------------------------------------
    def __reduce__(self) -> Any:
        """For `pickle`: values, name, gradient; a result becomes a leaf without its history."""
        self._leave("pickle", "Return what is to be saved from the function, beside its result (has_aux=True).")
        return _restored, (type(self), *self._state())

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._differentiated():
            memo[id(self)] = recorded = rec.copy(self)
            return cast(Tensor, recorded)
        if self.node.op is not None and self.requires_grad:
            raise NotALeaf(
                f"a deep copy of a result, {self.dtype}{self.shape} of {self.node.op.name}, would lose its history; "
                "use x.copy(), which is recorded, or copy x.detach()"
            )
        memo[id(self)] = twin = _restored(type(self), *self._state())
        return twin

    def __copy__(self) -> Tensor:
        """A second handle on the same value: assignment to one leaves the other as it was."""
        if self.node.op is None and not self._differentiated():
            return _restored(type(self), *self._state())
        return wrap(self.node)

    def _state(self) -> tuple[Any, ...]:
        self._refuse_trace("a copy")
        data = self.node.data
        grad = None if self.grad is None else self.grad.node.data
        return (data.copy() if isinstance(data, np.ndarray) else data), self.requires_grad, self.name, grad

    def _tree_leaf(self) -> tuple[Any, ...] | None:
        """The role that what takes this leaf's place in a tree has to take on."""
        return None

    # -- assignment ---------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Tensor:
        part = rec.getitem(self, index)
        data, op = part.node.data, self.node.op
        if data.__class__ is not np.ndarray:
            part._item = True
        elif op is not None and op.writes and data.base is not None and data.size * 8 <= data.base.size:
            part.node.data = data.copy("K")  # a view would keep the next assignment from writing in place
        return part  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        count = references(self)
        self._refuse_lost(count, ASSIGNMENT)
        self._refuse_row()
        rec.setitem_(self, index, value)

    def __delitem__(self, index: Any) -> None:
        raise ArgumentError(
            f"elements of a tensor cannot be deleted; x = tm.delete(x, {describe(index)}, axis=0) leaves them out"
        )

    def _is_number(self) -> bool:
        """Whether `x += v` makes a new value, as for NumPy's scalars: a 0-d result may have other names and places.

        What was made by tensor(), a gradient, and a leaf that requires one are arrays, and change in place.
        """
        return not self.shape and not hasattr(self, "_grad")

    def sort(self, axis: int = -1, kind: Any = None, *, descending: bool = False, stable: bool | None = True) -> None:
        """Sort in place, as NumPy's method does; `tm.sort(x)` gives a sorted copy."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        self._refuse_row()
        self._become(rec.sort(self, axis=axis, kind=kind, descending=descending, stable=stable))

    def _become(self, result: Tensor) -> Tensor:
        """Take on a new value: what was computed from the old one keeps the old one."""
        old, new = self.node.data, result.node.data
        mode = MODE.get()
        recording = mode is None or mode.differentiable
        leaf = self.node.op is None and not self.node.live & TRANSFORMED
        if leaf and recording and self.requires_grad:
            raise NotALeaf(
                f"{self.name or 'a leaf'} {describe(self)} requires a gradient, and its .grad would be that of values "
                "that it no longer holds. Assign `with tm.no_grad():`, or to a result: y = x.copy()."
            )
        if not (leaf or recording):
            self._keep_history()
        if new.shape != old.shape:
            raise ShapeError(f"an in-place result of shape {new.shape} does not fit shape {old.shape}")
        if new.dtype != old.dtype:
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise DTypeError(
                    f"an in-place result of {result.dtype} cannot be kept in {self.dtype}; write x = x + v"
                )
            result = rec.astype(result, self.dtype)
        traced = result.node.live & TRACED
        if traced and leaf and self.node.live & DIFFERENTIABLE:
            raise TraceError(
                f"{self.name or 'a leaf'} {describe(self)} lives outside of the function that is being traced, and "
                "would take on a value at the first call only; return the new value"
            )
        written = getattr(watcher(), "written", None) if traced else None
        if written is not None:
            written(self, result.node)
        if traced and not recording and self.node.live & TRACED and self.node not in getattr(watcher(), "stopped", ()):
            result = under(Mode(True, watcher(), mode), rec.overwritten, result, self)
        if leaf and not recording and not traced:
            self._replace(result.node.data)
        else:
            self.node = result.node
        return self

    def _keep_history(self) -> None:
        """Raise where a write under no_grad would make a constant of a result, or of a transform's argument."""
        node = self.node
        if node.live & DIFFERENTIABLE:
            result = node.op is not None and node.op.name != "alias"
            what = f"the result of {node.op.name}" if result and node.op else "what a transform differentiates"
            raise NotALeaf(
                f"{self.name or describe(self)} is {what}, and a write to it under no_grad would make a constant of "
                "all of it. Write to y = x.detach().copy(), or outside of no_grad the constant: x[i] = v.detach()."
            )

    def _write(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any], index: Any, put: Any) -> None:
        """Take on `op` of this tensor, a value and the arrays of an index; `put(array, value)` does it in place."""
        mode, node = MODE.get(), self.node
        inputs = tuple(map(node_of, args))
        live = 0
        for i in inputs:
            live |= i.live
        recording = mode is None or mode.differentiable
        leaf = node.op is None and not node.live & TRANSFORMED
        if not (leaf or recording):
            self._keep_history()
        done = None
        if not (live & TRACED or (mode is not None and mode.observe is not None) or (leaf and recording and node.live)):
            value = inputs[1]
            if type(value) is Node and getattr(value.data, "base", None) is node.data:
                value.data = value.data.copy("K")
            done = overwrite(node, index, lambda array: put(array, value.data))
        if done is None:
            self._become(record(op, args, params))
        elif leaf and not recording:
            self._replace(done.held)
        else:
            new = Node(done.held, op, inputs, params, live) if live and recording else Node(done.held)
            if mode is not None:
                tell(new, op, inputs, params)
            new.version = weakref.ref(done)
            self.node = new

    def backward(self, gradient: Any = None, create_graph: bool = False, *, retain_graph: bool = True) -> None:
        """Add d(self)/d(leaf) to the `.grad` of every leaf that requires a gradient.

        `gradient` is the cotangent, of this tensor's shape; a single number needs none.
        `create_graph` keeps the gradients differentiable. `retain_graph` is taken for PyTorch's sake: the
        graph stays as long as somebody holds it.
        """
        rec.backward(self, gradient, create_graph)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        self.requires_grad = as_flag(wanted, "requires_grad_: wanted")
        return self

    # -- operators ----------------------------------------------------------------------------------
    __add__, __radd__, __iadd__ = _binary("add", operator.add)
    __sub__, __rsub__, __isub__ = _binary("subtract", operator.sub)
    __mul__, __rmul__, __imul__ = _binary("multiply", operator.mul)
    __truediv__, __rtruediv__, __itruediv__ = _binary("divide", operator.truediv)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _binary("floor_divide", operator.floordiv)
    __mod__, __rmod__, __imod__ = _binary("remainder", operator.mod)

    def __pow__(self, other: Any) -> Tensor:
        if other.__class__ is int and other == 2:
            return record(registry["square"], (self,), NO_PARAMS)  # type: ignore[no-any-return]
        if other.__class__ not in _SURE and not isinstance(other, Tensor) and decides(other, "__rpow__", self.node):
            return cast(Tensor, _theirs(self, other, "__rpow__"))
        return rec.pow(self, other)  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Tensor:
        if other.__class__ not in _SURE and refuses(other):
            return cast(Tensor, NotImplemented)
        if other.__class__ not in _SURE and decides(other, "__pow__", self.node):
            found = _theirs(self, other, "__pow__")
            if found is not NotImplemented:
                return cast(Tensor, found)
        return rec.pow(other, self)  # type: ignore[no-any-return]

    def __ipow__(self, other: Any) -> Tensor:
        self._refuse_row()
        result = rec.pow(self, other)
        return result if self._is_number() else self._become(result)

    __matmul__, __rmatmul__, __imatmul__ = _binary("matmul", operator.matmul)
    __and__, __rand__, __iand__ = _binary("bitwise_and", operator.and_)
    __or__, __ror__, __ior__ = _binary("bitwise_or", operator.or_)
    __xor__, __rxor__, __ixor__ = _binary("bitwise_xor", operator.xor)
    __lshift__, __rlshift__, __ilshift__ = _binary("left_shift", operator.lshift)
    __rshift__, __rrshift__, __irshift__ = _binary("right_shift", operator.rshift)
    __lt__, __le__ = _binary("less", operator.lt)[0], _binary("less_equal", operator.le)[0]
    __gt__, __ge__ = _binary("greater", operator.gt)[0], _binary("greater_equal", operator.ge)[0]
    if TYPE_CHECKING:  # as object has them otherwise, for a checker that goes by the base class

        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]

    else:
        __eq__, __ne__ = _binary("equal", operator.eq)[0], _binary("not_equal", operator.ne)[0]

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __round__(self, decimals: int = 0) -> Tensor:
        return rec.round(self, decimals)  # type: ignore[no-any-return]

    def __trunc__(self) -> int:
        return int(self._number("trunc()"))

    __neg__, __pos__ = _unary("negative"), _unary("positive")
    __abs__, __invert__ = _unary("abs"), _unary("bitwise_invert")

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """`tm.compress(condition, x, axis)` of this tensor: the function has its array second."""
        return rec.compress(condition, self, axis)  # type: ignore[no-any-return]


def wrap(node: Node) -> Tensor:
    """A handle on a node."""
    t: Tensor = _new(Tensor)
    t.node = node
    return t


def fresh(data: Any) -> Tensor:
    """`wrap(Node(data))` in half the time: what a program returns is made at each call."""
    node: Node = _new(Node)
    node.data, node.op, node.inputs, node.params, node.live, node.meta = data, None, (), NO_PARAMS, 0, None
    node.tick = clock()
    t: Tensor = _new(Tensor)
    t.node = node
    return t


def _restored(kind: type[Tensor], data: Any, requires_grad: bool, name: str | None, grad: Any) -> Tensor:
    """A leaf as it was saved or copied."""
    t: Tensor = _new(kind)
    t.node, t._grad = Node(data), None
    if name is not None:
        t.name = name
    if requires_grad:
        t.requires_grad = True
    if grad is not None:
        t.grad = np.array(grad)
    return t


_new = cast(Callable[[type], Any], object.__new__)


def as_tensor(value: Any) -> Tensor:
    """The Tensor itself, or a constant one of an array (copied: the caller may write to it), number or list."""
    if isinstance(value, Tensor):
        return value
    node = node_of(value)
    if type(value) is int:
        _as_array(value)
    return wrap(Node(held(node).data) if type(node) is Constant else node)


def is_weak(value: Any) -> bool:
    """Whether a value takes on the dtype of what it meets: a Python number, or the Tensor that stands for one."""
    return not hasattr(value.node.data if isinstance(value, Tensor) else value, "dtype")


def handle(value: Any) -> Tensor:
    """The Tensor itself, or a constant one of a result that nobody else can write to."""
    return value if isinstance(value, Tensor) else wrap(Node(value))


def watching(array: Any) -> Tensor:
    """A Tensor on an array of the user's, who may go on to write to it: the next use sees that."""
    node = Node(scalar_or_array(np.array(array)))
    node.share(array, given=True)
    return wrap(node)


class Gradients:
    """One thread after another changes what stands in the gradients of tensors."""

    lock = threading.RLock()

    @classmethod
    def fork(cls) -> None:
        """In the child, no thread is left that would release the lock."""
        cls.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Gradients.fork)


def gradient_of(p: Tensor) -> Any:
    """The array of the gradient that `backward` has accumulated in p, or None."""
    g = getattr(p, "_grad", None)
    return g.node.data if isinstance(g, Tensor) else g


def in_dtype(value: Tensor, dtype: np.dtype[Any], what: str) -> Tensor:
    """A value in the dtype of what it belongs to; a real one takes no imaginary part."""
    if value.dtype == dtype:
        return value
    if value.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{what} {describe(value)} belongs to something of {dtype}: its imaginary part would be lost")
    return cast(Tensor, rec.astype(value, dtype))


select = Op(
    "select",
    lambda parts, index: parts[index],
    kind="structural",
    arity=1,
    vjp=lambda xp, need, g, y, parts, index: (g,),
    jvp=lambda xp, ts, y, parts, index: ts[0][index],
    latex=r"{0}_{{{index}}}",
    note="one part of a many-valued result",
)


def again(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """What was recorded once, recorded of other arguments."""
    if op is select:
        return args[0][params["index"]]
    return record(op, args, params) if op.recorded is None else op.recorded(args)


def _hooked(node: Node, asker: str) -> bool:
    """Whether a traced function asks here for a gradient on its way, so that it will be run as it is."""
    hook = getattr(watcher(), "hook", None)
    return hook is not None and bool(hook(node, asker))


def check_fresh(user: Node) -> None:
    """Raise if something changed after `user` was computed from it, or `user` itself, whose value its rule may use."""
    m = user.meta
    if m is not None and user.changed_since(user.tick):
        raise ChangedAfterUse(
            f"the result of {_what(user)} was changed after it was computed, so its derivative is no longer "
            "known. Write to a copy, or change it by an assignment, x[...] = v, which is recorded."
        )
    for used in user.inputs:
        m = used.meta
        if m is not None and (m.window is not None or m.changed > user.tick) and used.changed_since(user.tick):
            what = repr(used.name) if used.name else f"an input of shape {np.shape(used.data)}"
            raise ChangedAfterUse(
                f"{what} was changed after {_what(user)} had used it, so its derivative is no "
                "longer known. Differentiate before the change, or compute the result again."
            )


def _what(user: Node) -> str:
    return user.op.name if user.op is not None else "an op"
