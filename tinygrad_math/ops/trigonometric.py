"""Trigonometric functions and their inverses."""

from __future__ import annotations

import numpy as np

from ..core.declare import elementwise

sin = elementwise(np.sin, lambda xp, y, x: xp.cos(x), latex=r"\sin {0}", holomorphic=True)
cos = elementwise(np.cos, lambda xp, y, x: -xp.sin(x), latex=r"\cos {0}", holomorphic=True)
