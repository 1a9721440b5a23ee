"""A case of references.py run with this library: eagerly, compiled, and in the idiom of `backward`."""

from functools import partial
from inspect import signature

import numpy as np
from references import References, flat

import tinygrad_math as tm

STORED = References()


class In:
    """`tm.nn` with another dtype of parameters."""

    functional, utils = tm.nn.functional, tm.nn.utils

    def __init__(self, dtype):
        self.dtype = dtype

    def __getattr__(self, name):
        kind = getattr(tm.nn, name)
        known = {k for base in kind.__mro__ if "__init__" in vars(base) for k in signature(base.__init__).parameters}
        return partial(kind, dtype=self.dtype) if "dtype" in known else kind


def built(case, dtype=np.float64):
    """The module (or function) of a case, a PyTorch state loaded into it as it is."""
    module = case.make(tm.nn if dtype is np.float64 else In(dtype))
    if isinstance(module, tm.nn.Module):
        module.load_state_dict(case.state(STORED.state(case.name)))
        module.train(case.training)
    return module


class Ours:
    """`scalar` as a function of the inputs that are differentiated in and, where there is one, of the module."""

    __reached__ = ()  # nothing here changes: to look it through for each program takes as long as to make that

    def __init__(self, case, dtype=np.float64):
        self.case, self.module = case, built(case, dtype)
        self.arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in case.arrays()]
        self.moving = case.moving()
        self.learns = isinstance(self.module, tm.nn.Module)
        self.parameters = dict(self.module.named_parameters()) if self.learns else {}
        self.names = [f"input{i}" for i in self.moving] + list(self.parameters)

    def inputs(self):
        return [self.arrays[i] for i in self.moving]

    def primals(self):
        return (self.inputs(), self.module) if self.learns else (self.inputs(),)

    def outputs(self, moving, module=None):
        xs = list(self.arrays)
        for i, x in zip(self.moving, moving, strict=True):
            xs[i] = x
        return self.case.called(self.module if module is None else module, *xs)

    def scalar(self, moving, module=None):
        ys = self.outputs(moving, module)
        return sum(
            (y * c.astype(y.dtype) + y * y / 2).sum() for y, c in zip(ys, self.case.like("cotangent", ys), strict=True)
        )

    def after(self):
        """The buffers, by the names of the parts."""
        if not self.learns:
            return {}
        return {f"after {name}": b.numpy().copy() for name, b in self.module.named_buffers()}

    def named(self, prefix, found):
        """Derivatives in (inputs, module) or (inputs,), by the names of the parts."""
        listed = list(found[0])
        if self.learns:
            ours = dict(found[1].named_parameters())
            listed += [ours[name] for name in self.parameters]
        return {f"{prefix} {name}": np.asarray(g.detach().numpy()) for name, g in zip(self.names, listed, strict=True)}

    def directions(self):
        """What the Hessian is multiplied by, as a tree like the primals."""
        shapes = [*self.inputs(), *self.parameters.values()]
        along = self.case.like("direction", shapes)
        inputs, rest = along[: len(self.moving)], along[len(self.moving) :]
        if not self.learns:
            return (inputs,)
        return inputs, self.module.with_tensors(dict(zip(self.parameters, map(tm.tensor, rest), strict=True)))

    def argnums(self):
        return (0, 1) if self.learns else (0,)


def close(found, name, rtol=1e-9, atol=1e-9):
    stored = STORED.parts(name)
    for part, value in found.items():
        assert np.shape(value) == stored[part].shape, f"{part}: {np.shape(value)} for {stored[part].shape}"
        np.testing.assert_allclose(value, stored[part], rtol=rtol, atol=atol, err_msg=part)


def check_forward_and_backward(case):
    ours = Ours(case)
    xs = [tm.tensor(x, requires_grad=True) for x in ours.inputs()]
    outputs = ours.outputs(xs)
    close({f"output{i}": y.detach().numpy() for i, y in enumerate(outputs)} | ours.after(), case.name)
    if not ours.names:
        return
    ours = Ours(case)  # its buffers are as they were
    xs = [tm.tensor(x, requires_grad=True) for x in ours.inputs()]
    ours.scalar(xs).backward()
    leaves = dict(zip(ours.names, [*xs, *ours.parameters.values()], strict=True))
    zero = {name: np.zeros(t.shape) for name, t in leaves.items()}
    found = {f"grad {n}": zero[n] if t.grad is None else t.grad.numpy() for n, t in leaves.items()}
    close(found, case.name)
    assert set(found) | {f"hvp {n}" for n in leaves} == {
        p for p in STORED.parts(case.name) if p[:4] in ("grad", "hvp ")
    }


def check_transforms(case):
    ours = Ours(case)
    if ours.names:
        close(ours.named("grad", tm.grad(ours.scalar, argnums=ours.argnums())(*ours.primals())), case.name)
        ours = Ours(case)
        close(ours.named("hvp", tm.hvp(ours.scalar, ours.primals(), ours.directions())), case.name)


def check_compiled(case):
    """The outputs, the gradients and what becomes of the buffers, of one program."""
    ours = Ours(case)

    def scalar(moving, module=None, buffers=None):
        return ours.scalar(moving, None if module is None else module.with_tensors(buffers))

    def run(moving, module=None, buffers=None):
        net = None if module is None else module.with_tensors(buffers)
        given = (moving,) if module is None else (moving, module, buffers)
        gradient = tm.grad(scalar, argnums=ours.argnums())(*given) if ours.names else None
        return ours.outputs(moving, net), {} if net is None else dict(net.named_buffers()), gradient

    buffers = ({n: b.numpy().copy() for n, b in ours.module.named_buffers()},) if ours.learns else ()
    outputs, after, gradient = tm.compile(run)(*ours.primals(), *buffers)
    found = {f"output{i}": y.detach().numpy() for i, y in enumerate(flat(outputs))}
    close(found | {f"after {n}": b.numpy() for n, b in after.items()}, case.name)
    if ours.names:
        close(ours.named("grad", gradient), case.name)


def check_float32(case):
    ours = Ours(case, np.float32)
    xs = [tm.tensor(x, requires_grad=True) for x in ours.inputs()]
    for y in ours.outputs(xs):
        assert y.dtype == np.float32 or y.dtype.kind in "iub", y.dtype
    if ours.names:
        ours.scalar(xs).backward()
        for name, t in zip(ours.names, [*xs, *ours.parameters.values()], strict=True):
            assert t.grad is None or t.grad.dtype == np.float32, name
    if ours.learns:
        assert all(b.dtype == np.float32 or b.dtype.kind == "i" for b in ours.module.buffers())
