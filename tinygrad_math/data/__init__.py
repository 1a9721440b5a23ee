"""Data sets, small enough to ship or to make."""

from .iris import Iris as Iris
from .iris import iris as iris
