"""Optimisers: one piece of maths, as a stateful `step()` and as a pure `update()`."""

from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
