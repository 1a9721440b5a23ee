"""Automatic differentiation for the mathematics of deep learning: `import tinygrad_math as tm`."""

import sys as _sys
import typing as _typing

from .core import elsewhere as _elsewhere
from .core import op as _op
from .core import opening as _opening
from .core.errors import *
from .core.tensor import Tensor as Tensor
from .core.tensor import no_grad as no_grad
from .core.tree import tree_map as tree_map
from .core.walk import grad_of as grad_of
from .neighbours import meet as _meet
from .ops import batch as _batch  # noqa: F401
from .ops import resting as _resting  # noqa: F401
from .ops.arithmetic import *
from .ops.arranging import *
from .ops.bitwise import *
from .ops.calculus import *
from .ops.comparison import *
from .ops.complexes import *
from .ops.counting import *
from .ops.creation import *
from .ops.cumulative import *
from .ops.dtypes import *
from .ops.einsum import *
from .ops.exponential import *
from .ops.extremum import *
from .ops.indexing import *
from .ops.joining import *
from .ops.masked import *
from .ops.nanreduction import *
from .ops.normalized import *
from .ops.padding import *
from .ops.parting import *
from .ops.polynomial import *
from .ops.powers import *
from .ops.product import *
from .ops.protocols import *
from .ops.quantile import *
from .ops.reduction import *
from .ops.rounding import *
from .ops.selection import *
from .ops.sets import *
from .ops.shape import *
from .ops.sorting import *
from .ops.spaces import *
from .ops.spread import *
from .ops.statistics import *
from .ops.taking import *
from .ops.trigonometric import *
from .ops.wording import *
from .transforms.batching.vmap import *
from .transforms.checkpoint import *
from .transforms.derivatives import *
from .transforms.matrices import *
from .transforms.primitive import *
from .transforms.products import *
from .transforms.taylor import *
from .transforms.trees import *

if _typing.TYPE_CHECKING:
    from . import curvature as curvature
    from . import data as data
    from . import distributed as distributed
    from . import errors as errors
    from . import fft as fft
    from . import geometry as geometry
    from . import inspect as inspect
    from . import linalg as linalg
    from . import nn as nn
    from . import optim as optim
    from . import random as random
    from . import special as special
    from . import stats as stats
    from . import testing as testing
    from . import train as train
    from . import viz as viz
    from .compiler import compile as compile
    from .compiler import set_kernels as set_kernels
    from .compiler import to_source as to_source
    from .explaining.explain import explain as explain
    from .explaining.record import record as record
    from .lifting.lift import lift as lift
    from .saving import load as load
    from .saving import save as save
    from .special import i0 as i0
    from .transforms import implicit as implicit
    from .transforms import integrate as integrate
    from .transforms.loops import fori_loop as fori_loop
    from .transforms.loops import scan as scan
    from .transforms.loops import while_loop as while_loop
    from .viz.graph import graph as graph

__version__ = "0.5.0"
tensor = Tensor
_meet()

# rooms that are opened at first use, so that `import tinygrad_math` costs little more than `import numpy`
_ROOMS = {
    name: f".{name}"
    for name in (
        "compiler",
        "curvature",
        "data",
        "distributed",
        "errors",
        "fft",
        "geometry",
        "inspect",
        "linalg",
        "nn",
        "optim",
        "random",
        "special",
        "stats",
        "testing",
        "train",
        "viz",
    )
}
_ROOMS |= {"implicit": ".transforms.implicit", "integrate": ".transforms.integrate"}
_NAMES = {"graph": ".viz.graph", "i0": ".special", "compile": ".compiler", "to_source": ".compiler"}
_NAMES |= {"set_kernels": ".compiler"}
_NAMES |= {"save": ".saving", "load": ".saving", "explain": ".explaining.explain", "record": ".explaining.record"}
_NAMES |= {"lift": ".lifting.lift"}
_NAMES |= dict.fromkeys(("fori_loop", "scan", "while_loop"), ".transforms.loops")
_op.rooms += [f"{__name__}.{room}" for room in ("linalg", "fft", "special")]  # where further ops are declared


def __getattr__(name: str) -> _typing.Any:
    if name in _ROOMS:
        thing: _typing.Any = _opening.opened(__name__ + _ROOMS[name])
    elif name in _NAMES:
        thing = getattr(_opening.opened(__name__ + _NAMES[name]), name)
    elif name == "__all__":
        return _elsewhere.starred(__dir__())
    else:
        return _elsewhere.find("", name)
    globals()[name] = thing
    return thing


def __dir__() -> list[str]:
    return sorted([*_elsewhere.public(_sys.modules[__name__], {*_ROOMS, *_NAMES}), "__version__"])
