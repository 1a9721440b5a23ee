"""How parameters of layers begin, once more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import generator
from .module import Module


def restart_uniform(module: Module, fan: int, rng: Any) -> None:
    """Draw every parameter of a layer anew, uniform in +-1/sqrt(fan), in the order in which it makes them."""
    draw, bound = generator(rng), 1 / math.sqrt(fan)
    for p in module.parameters(recurse=False):
        p._replace(draw.uniform(-bound, bound, p.shape).astype(p.dtype))


def restart_norm(module: Any) -> None:
    """Ones for the weight and the running variance, zeros for all else."""
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    for name, t in own:
        t._replace(np.full(t.shape, name in ("weight", "running_var"), t.dtype))
