"""The named errors: `from tinygrad_math.errors import ShapeError`. Each says what came, and what to do."""

from .core.errors import *
from .core.errors import __all__ as __all__
