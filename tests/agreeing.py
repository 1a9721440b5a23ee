"""What tests of compiled functions share: a compiled function agrees with the plain one."""

import dataclasses

import numpy as np

import tinygrad_math as tm

X = np.array([0.5, -1.25, 2.0])


def values(tree):
    leaves = tree if isinstance(tree, (tuple, list)) else (tree,)
    return [np.asarray(t.detach().numpy() if isinstance(t, tm.Tensor) else t) for t in leaves]


def agree(f, g, *args):
    for a, b in zip(values(f(*args)), values(g(*args)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


class Settings:
    bias = 0.25

    def __init__(self):
        self.scale, self.flags, self.table = 2.0, ["plain"], {"k": (1, 2.0)}

    def __call__(self, x):
        return x * self.scale + self.bias if self.flags[-1] == "plain" else x * self.table["k"][1]

    def apply(self, x):
        return self(x) * self.half

    @property
    def half(self):
        return self.scale / 2


class Slotted:
    __slots__ = ("scale",)


@dataclasses.dataclass
class Options:
    scale: float = 2.0
    inner: object = dataclasses.field(default_factory=Settings)
