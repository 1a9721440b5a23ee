"""Comparisons and logic: recorded, without a derivative."""

from __future__ import annotations

import numpy as np

from ..core.declare import nondiff

equal = nondiff(np.equal, arity=2, latex="{0} = {1}")
not_equal = nondiff(np.not_equal, arity=2, latex=r"{0} \ne {1}")
less = nondiff(np.less, arity=2, latex="{0} < {1}")
less_equal = nondiff(np.less_equal, arity=2, latex=r"{0} \le {1}")
greater = nondiff(np.greater, arity=2, latex="{0} > {1}")
greater_equal = nondiff(np.greater_equal, arity=2, latex=r"{0} \ge {1}")
