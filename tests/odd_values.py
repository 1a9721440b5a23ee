"""Values that nobody means as an argument, and that somebody will pass: what tests/odd_calls.py puts everywhere.

Each is made anew for every call, so that no call sees what another did to it.
"""

import array
import datetime
import decimal
import enum
import fractions
import types
from types import SimpleNamespace

import numpy as np
import scipy.sparse

import tinygrad_math as tm


class Foreign:
    """Another library's tensor that needs a gradient: it has a shape and a dtype, and refuses to become an array."""

    shape, ndim, dtype = (3,), 1, SimpleNamespace(name="float32")

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("this tensor requires grad")

    def __bool__(self):
        raise RuntimeError("Boolean value of more than one value is ambiguous")

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if isinstance(index, int) and not -3 <= index < 3:
            raise IndexError("index out of range")
        return self

    def __lt__(self, other):
        return self

    __eq__ = __gt__ = __le__ = __ge__ = __lt__
    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __neg__ = __truediv__ = lambda self, *_: self
    __hash__ = object.__hash__

    def __index__(self):
        raise TypeError("only integer tensors of a single element can be converted to an index")

    def __repr__(self):
        return "foreign([1., 1., 1.], requires_grad=True)"


class Evil:
    """Every question raises."""

    __hash__ = object.__hash__


def _raise(self, *args, **kwargs):
    raise RuntimeError("an evil object")


_QUESTIONS = "array len iter bool index float int complex getitem contains eq lt le gt ge neg "
_QUESTIONS += "add radd sub rsub mul rmul truediv rtruediv"
for _name in _QUESTIONS.split():
    _method = types.FunctionType(_raise.__code__.replace(co_name=f"__{_name}__"), globals())
    setattr(Evil, f"__{_name}__", _method)


class NoRepr:
    """What cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no repr")


class Liar:
    """Says that it is an array of three, and is none."""

    shape, ndim, dtype, size = (3,), 1, np.dtype(float), 3

    def __len__(self):
        return 3

    def __iter__(self):
        return iter(())

    def __array__(self, dtype=None, copy=None):
        return [1.0, 2.0, 3.0]


class Choice(enum.Enum):
    FIRST = 1


def _cyclic(copies=1):
    made = []
    made.extend([made] * copies)
    return made


def _cyclic_dict():
    made = {}
    made["self"] = made
    return made


def _structured():
    return np.zeros(2, dtype=[("a", float), ("b", int)])


def _matrix():
    return np.asmatrix([[1.0, 2.0], [3.0, 4.0]])


VALUES = {
    # no numbers
    "none": lambda: None,
    "text": lambda: "abc",
    "no_text": lambda: "",
    "bytes": lambda: b"abc",
    "surrogate": lambda: "\udc80",
    "object": object,
    "builtin": lambda: len,
    "lambda": lambda: lambda: None,
    "lambda1": lambda: lambda x: x,
    "class": lambda: int,
    "ellipsis": lambda: ...,
    "slice": lambda: slice(0, 2),
    "not_implemented": lambda: NotImplemented,
    "error": lambda: ValueError("abc"),
    "enum": lambda: Choice.FIRST,
    "module": lambda: np,
    "layer": tm.nn.Tanh,
    "date": lambda: datetime.date(2000, 1, 1),
    "evil": Evil,
    "no_repr": NoRepr,
    "liar": Liar,
    "foreign": Foreign,
    # containers
    "dict": dict,
    "dict1": lambda: {"a": 1.0},
    "set": lambda: {1, 2},
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "cyclic": _cyclic,
    "cyclic2": lambda: _cyclic(2),
    "cyclic_dict": _cyclic_dict,
    "deep": lambda: _nested(5000),
    "no_list": list,
    "no_tuple": tuple,
    "texts": lambda: ["a", "b"],
    "nones": lambda: [None, None],
    "generator": lambda: (k for k in (0, 1)),
    "iterator": lambda: iter([0, 1]),
    "range": lambda: range(3),
    "zeros": lambda: (0, 0),
    "negatives": lambda: (-1, -2),
    "axes": lambda: (0, 1),
    "floats": lambda: (0.0, 1.0),
    "many": lambda: tuple(range(70)),
    "many_ones": lambda: (1,) * 70,
    "tensors": lambda: [tm.tensor(1.0), tm.tensor(2.0)],
    "nested": lambda: [[tm.tensor(1.0)], [1.0]],
    "ragged_tensors": lambda: [tm.tensor([1.0]), tm.tensor([1.0, 2.0])],
    "memoryview": lambda: memoryview(b"abc"),
    "array_array": lambda: array.array("d", [1.0, 2.0]),
    # numbers
    "true": lambda: True,
    "false": lambda: False,
    "zero": lambda: 0,
    "two": lambda: 2,
    "minus1": lambda: -1,
    "minus5": lambda: -5,
    "99": lambda: 99,
    "huge": lambda: 2**40,
    "2**63": lambda: 2**63,
    "-2**63": lambda: -(2**63),
    "2**64": lambda: 2**64,
    "10**30": lambda: 10**30,
    "-10**30": lambda: -(10**30),
    "one_half": lambda: 1.5,
    "one": lambda: 1.0,
    "minus0": lambda: -0.0,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "complex": lambda: 1 + 2j,
    "decimal": lambda: decimal.Decimal("1.5"),
    "fraction": lambda: fractions.Fraction(1, 2),
    "np_float": lambda: np.float64(1.5),
    "np_int": lambda: np.int64(1),
    "np_uint8": lambda: np.uint8(1),
    "np_bool": lambda: np.bool_(True),
    "np_text": lambda: np.str_("abc"),
    "nat": lambda: np.datetime64("NaT"),
    # arrays
    "array0": lambda: np.array(2.5),
    "array0_int": lambda: np.array(1),
    "empty": lambda: np.zeros(0),
    "empty03": lambda: np.zeros((0, 3)),
    "empty300": lambda: np.zeros((3, 0, 0)),
    "vector": lambda: np.array([0.5, 1.5, 2.5, 3.5]),
    "matrix": lambda: np.arange(6.0).reshape(2, 3),
    "axes64": lambda: np.ones((1,) * 64),
    "bools": lambda: np.array([True, False, True]),
    "int8": lambda: np.array([1, -100, 100], np.int8),
    "uint64": lambda: np.array([0, 1, 2**64 - 1], np.uint64),
    "float16": lambda: np.array([1.0, 2.0, 6e4], np.float16),
    "longdouble": lambda: np.array([1.0, 2.0, 3.0], np.longdouble),
    "clongdouble": lambda: np.array([1.0, 2.0, 3.0], np.clongdouble),
    "complexes": lambda: np.array([1.0, 2.0j, 3.0]),
    "big_endian": lambda: np.array([1.0, 2.0, 3.0], ">f8"),
    "big_endian_int": lambda: np.array([0, 1, 2], ">i4"),
    "objects": lambda: np.array([None, "a"], dtype=object),
    "object_numbers": lambda: np.array([1, 2.0, 3], dtype=object),
    "datetimes": lambda: np.array(["2000-01-01", "2000-01-02"], "datetime64[D]"),
    "timedeltas": lambda: np.array([1, 2], "timedelta64[s]"),
    "structured": _structured,
    "record": lambda: _structured()[0],
    "text_array": lambda: np.array(["a", "bc"]),
    "bytes_array": lambda: np.array([b"a", b"bc"]),
    "np_matrix": _matrix,
    "masked": lambda: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    "sparse": lambda: scipy.sparse.csr_matrix(np.eye(2)),
    "sparse_array": lambda: scipy.sparse.csr_array(np.eye(2)),
    "polynomial": lambda: np.polynomial.Polynomial([1.0, 2.0]),
    "dtype": lambda: np.dtype("float32"),
    "dtype_text": lambda: np.dtype("U3"),
    "huge_shape": lambda: (2**40, 2**40),
    "tensor": lambda: tm.tensor([1.0, 2.0, 3.0]),
    "tensor_grad": lambda: tm.tensor([1.0, 2.0, 3.0], requires_grad=True),
    "tensor_int": lambda: tm.tensor([0, 1, 2]),
    "tensor0": lambda: tm.tensor(2.0, requires_grad=True),
    "tensor0_int": lambda: tm.tensor(1),
}


def _nested(depth):
    made = 1.0
    for _ in range(depth):
        made = [made]
    return made
