"""Automatic differentiation for the mathematics of deep learning."""

from . import data as data
from . import fft as fft
from . import geometry as geometry
from . import linalg as linalg
from . import nn as nn
from . import optim as optim
from . import random as random
from . import special as special
from . import stats as stats
from . import testing as testing
from . import viz as viz
from .core.errors import *
from .core.tensor import Tensor as Tensor
from .core.tensor import no_grad as no_grad
from .core.walk import grad_of as grad_of
from .ops.arithmetic import *
from .ops.arranging import *
from .ops.bitwise import *
from .ops.calculus import *
from .ops.comparison import *
from .ops.complexes import *
from .ops.creation import *
from .ops.counting import *
from .ops.cumulative import *
from .ops.dtypes import *
from .ops.exponential import *
from .ops.extremum import *
from .ops.indexing import *
from .ops.joining import *
from .ops.nanreduction import *
from .ops.polynomial import *
from .ops.product import *
from .ops.protocols import *
from .ops.quantile import *
from .ops.reduction import *
from .ops.rounding import *
from .ops.selection import *
from .ops.sets import *
from .ops.shape import *
from .ops.sorting import *
from .ops.spread import *
from .ops.statistics import *
from .ops.trigonometric import *
from .transforms import implicit as implicit
from .transforms.checkpoint import *
from .transforms.derivatives import *
from .transforms.matrices import *
from .transforms.primitive import *
from .transforms.products import *
from .viz.graph import graph as graph

tensor = Tensor
