"""Exponentials, logarithms and hyperbolic functions."""

from __future__ import annotations

import numpy as np

from ..core.declare import elementwise

exp = elementwise(np.exp, lambda xp, y, x: y, latex="e^{{{0}}}", holomorphic=True)
log = elementwise(np.log, lambda xp, y, x: 1 / x, latex=r"\ln {0}", domain=(0.2, 3.0), holomorphic=True)
tanh = elementwise(np.tanh, lambda xp, y, x: 1 - y * y, latex=r"\tanh {0}", holomorphic=True)
