"""Networks: modules that are trees, layers, and the functions they are made of."""

from . import functional as functional
from .convolution import Conv1d as Conv1d
from .convolution import Conv2d as Conv2d
from .convolution import ConvTranspose2d as ConvTranspose2d
from .layers import Linear as Linear
from .layers import ReLU as ReLU
from .layers import Sequential as Sequential
from .layers import Tanh as Tanh
from .module import Module as Module
from .module import Parameter as Parameter
