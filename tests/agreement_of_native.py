"""What tests of native programs share: comparisons, and canaries around all memory that a program writes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler import executable, native
from tinygrad_math.compiler.native import lower, places
from tinygrad_math.compiler.packing import ALIGNMENT
from tinygrad_math.core.tree import flatten

CANARY = 0xA5


def compiled(f, **how):
    return tm.compile(f, backend="native", **how)


def sorted_by_numpy(x, axis=-1):
    """x sorted by an op that has no native form: a line of NumPy between the others."""
    return tm.partition(x, tuple(range(x.shape[axis])), axis) if x.shape[axis] else x


def arrays(tree):
    return [np.asarray(t.numpy() if isinstance(t, tm.Tensor) else t) for t in flatten(tree)[0]]


def assert_close(got, want, tolerance=1e-12):
    for x, y in zip(arrays(got), arrays(want), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        narrow = y.dtype in (np.float32, np.complex64)
        scale = 1.0 + np.abs(y[np.isfinite(y)]).max(initial=0.0)
        np.testing.assert_allclose(
            x, y, rtol=1e-5 if narrow else tolerance, atol=(1e-5 if narrow else tolerance) * scale
        )


def assert_bits(got, want):
    for x, y in zip(arrays(got), arrays(want), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(x, y)


class Guarded:
    """Plans and scratch in which nothing shares memory, with canaries between all that has a place."""

    def __init__(self, monkeypatch):
        self.spaces, self.scratches = [], []
        plan, room, bind = executable.plan, places.Memory.room, native.stretch.Workspaces.__call__

        def spaced(*args, **kwargs):
            p = plan(*args, **kwargs)
            owners = {p.home(v)[0] for v in p.offset}
            start = {}
            p.size = ALIGNMENT
            for v in owners:
                start[v] = p.size
                p.size += -(-v.nbytes // ALIGNMENT) * ALIGNMENT + ALIGNMENT
            for v in p.offset:
                owner, inner = p.home(v)
                p.offset[v] = start[owner] + inner
            p.guarded = [(start[v], v.nbytes) for v in owners]
            return p

        def roomy(memory, nbytes):
            start = room(memory, nbytes)
            memory.__dict__.setdefault("guarded", []).append((start, nbytes))
            memory.size += ALIGNMENT
            return start

        def bound(workspaces, space):
            functions = bind(workspaces, space)
            frame, _, cells, (space, scratch, *_), _ = functions[0].__self__
            del frame
            lowered = workspaces.lowered
            first = int(cells[places.SCRATCH]) - scratch.ctypes.data
            if space is not None:
                space[...] = CANARY
                self.spaces.append((space, lowered.plan.guarded))
            scratch[...] = CANARY
            self.spaces.append((scratch, [(first + s, n) for s, n in lowered.memory.__dict__.get("guarded", [])]))
            return functions

        begin = places.Places.__init__

        def within(here, plan, around=None):
            begin(here, plan, around)
            if around is not None:  # the step of a loop, whose workspace is a room of its own
                known, start = here.memory.__dict__["guarded"], here.space[1]
                known.remove((start, plan.size))
                known += [(start + s, n) for s, n in plan.guarded]

        monkeypatch.setattr(executable, "plan", spaced)
        monkeypatch.setattr(lower, "plan_of", spaced)
        monkeypatch.setattr(places.Places, "__init__", within)
        monkeypatch.setattr(places.Memory, "room", roomy)
        monkeypatch.setattr(native.stretch.Workspaces, "__call__", bound)

    def check(self):
        assert self.spaces
        for space, guarded in self.spaces:
            outside = np.ones(space.size, bool)
            for start, nbytes in guarded:
                outside[start : start + nbytes] = False
            assert (space[outside] == CANARY).all()


def surrounded(x, frames):
    """x as it lies, inside a larger array that is full of canaries."""
    if not x.size:
        return x
    low, high = (int(b) for b in np.lib.array_utils.byte_bounds(x))
    memory = np.full(high - low + 4 * ALIGNMENT, CANARY, np.uint8)
    start = 2 * ALIGNMENT - memory.ctypes.data % ALIGNMENT
    y = np.ndarray(x.shape, x.dtype, memory, start + x.ctypes.data - low, x.strides)
    y[...] = x
    frames.append((memory, memory.copy()))
    return y


def assert_refused_alike(f, g, *args):
    """Both raise IndexOutOfBounds for these arrays, with the same words of ours."""
    with pytest.raises(tm.errors.IndexOutOfBounds) as want:
        f(*map(tm.tensor, args))
    with pytest.raises(tm.errors.IndexOutOfBounds) as got:
        g(*args)
    said = [str(e.value).partition("\n")[0].partition("): ")[2] for e in (got, want)]
    assert said[0] == said[1] != ""
