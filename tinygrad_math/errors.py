"""The named errors: `from tinygrad_math.errors import ShapeError`. Each says what came, and what to do."""

from .core.elsewhere import face as _face
from .core.errors import *
from .core.errors import __all__ as __all__

__getattr__, __dir__ = _face(__name__)
