"""A small convolutional network on 8 x 8 images: two layers of 3 x 3 kernels and a linear one, cross entropy.

Peers that have a convolution use it; NumPy, autograd and ours put nine shifted slices side by side and multiply.
"""

from __future__ import annotations

import itertools

import numpy as np
from harness import peer

import tinygrad_math as tm

CHANNELS = (1, 8, 16)


def shapes():
    """(kernel rows, out) and bias of each layer: 9 c rows in the order (row, column, channel)."""
    out = []
    for c, d in itertools.pairwise(CHANNELS):
        out += [(9 * c, d), (d,)]
    return [*out, (4 * 4 * CHANNELS[-1], 10), (10,)]


def windows(concat, h):
    """The 3 x 3 neighbourhood of each inner pixel, as channels: (n, r, c, d) -> (n, r-2, c-2, 9 d)."""
    rows, columns = h.shape[1] - 2, h.shape[2] - 2
    return concat([h[:, i : i + rows, j : j + columns, :] for i in range(3) for j in range(3)], axis=-1)


def by_slices(concat, tanh, lse, mean):
    """The loss over a library's own functions."""

    def loss(params, x, y):
        w1, b1, w2, b2, w3, b3 = params
        h = tanh(windows(concat, x) @ w1 + b1)
        h = tanh(windows(concat, h) @ w2 + b2)
        z = h.reshape((len(x), -1)) @ w3 + b3
        return mean(lse(z) - (y * z).sum(1))

    return loss


def by_hand(params, x, y):
    """The gradients, as one writes them in NumPy."""
    w1, b1, w2, b2, w3, b3 = params
    n = len(x)
    p1 = windows(np.concatenate, x)
    h1 = p1 @ w1
    h1 += b1
    np.tanh(h1, out=h1)
    p2 = windows(np.concatenate, h1)
    h2 = p2 @ w2
    h2 += b2
    np.tanh(h2, out=h2)
    flat = h2.reshape(n, -1)
    z = flat @ w3
    z += b3
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    z -= y
    z /= n
    g3, gb3 = flat.T @ z, z.sum(axis=0)
    g = (z @ w3.T).reshape(h2.shape)
    g *= 1 - h2 * h2
    rows = g.reshape(-1, g.shape[-1])
    g2, gb2 = p2.reshape(-1, p2.shape[-1]).T @ rows, rows.sum(axis=0)
    back = g @ w2.T
    g, d = np.zeros_like(h1), h1.shape[-1]
    r, c = back.shape[1:3]
    for k in range(9):
        i, j = divmod(k, 3)
        g[:, i : i + r, j : j + c] += back[..., k * d : (k + 1) * d]
    g *= 1 - h1 * h1
    rows = g.reshape(-1, g.shape[-1])
    return [p1.reshape(-1, p1.shape[-1]).T @ rows, rows.sum(axis=0), g2, gb2, g3, gb3]


def convolution(n=32):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((n, 8, 8, 1))
    y = np.eye(10)[rng.integers(0, 10, n)]
    params = [rng.standard_normal(s) / np.sqrt(s[0]) for s in shapes()]
    grad = tm.grad(by_slices(tm.concat, tm.tanh, lambda z: tm.special.logsumexp(z, axis=1), tm.mean))
    fast = tm.compile(grad)
    steps = {
        "compiled": lambda: fast(params, x, y)[0],
        "eager": lambda: grad(params, x, y)[0],
        "numpy": lambda: by_hand(params, x, y)[0],
    }
    torch, jax = peer("torch"), peer("jax")
    if torch:
        ps = [torch.tensor(p, requires_grad=True) for p in params]
        tx, ty, conv = torch.tensor(x).permute(0, 3, 1, 2).contiguous(), torch.tensor(y), torch.nn.functional.conv2d

        def torch_loss():
            h = tx
            for k, c in enumerate(CHANNELS[:-1]):
                kernel = ps[2 * k].reshape(3, 3, c, -1).permute(3, 2, 0, 1)
                h = torch.tanh(conv(h, kernel, ps[2 * k + 1]))
            z = h.permute(0, 2, 3, 1).reshape(n, -1) @ ps[4] + ps[5]
            return torch.mean(torch.logsumexp(z, 1) - (ty * z).sum(1))

        steps["torch"] = lambda: torch.autograd.grad(torch_loss(), ps)[0]
    if jax:
        jnp = jax.numpy

        def jax_loss(params, x, y):
            h = x
            for k, c in enumerate(CHANNELS[:-1]):
                kernel = params[2 * k].reshape(3, 3, c, -1)
                h = jax.lax.conv_general_dilated(h, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                h = jnp.tanh(h + params[2 * k + 1])
            z = h.reshape(n, -1) @ params[4] + params[5]
            return jnp.mean(jax.nn.logsumexp(z, axis=1) - (y * z).sum(1))

        jitted = jax.jit(jax.grad(jax_loss))
        js, jx, jy = [jnp.asarray(p) for p in params], jnp.asarray(x), jnp.asarray(y)
        steps["jax"] = lambda: jitted(js, jx, jy)[0].block_until_ready()
    if peer("autograd"):
        import autograd
        import autograd.numpy as anp

        def lse(z):
            top = anp.max(z, axis=1, keepdims=True)
            return anp.log(anp.sum(anp.exp(z - top), axis=1)) + top[:, 0]

        agrad = autograd.grad(by_slices(anp.concatenate, anp.tanh, lse, anp.mean))
        steps["autograd"] = lambda: agrad(params, x, y)[0]
    return steps
