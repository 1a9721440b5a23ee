"""Attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from . import init
from .common import generator, known, shaped, sizes
from .dense import Linear, linear
from .dropout import check_probability, dropout
from .module import Module
from .parameter import Parameter

__all__ = ["scaled_dot_product_attention"]


@named
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(scale q k' + mask) v, for q (..., l, d), k (..., s, d), v (..., s, e) -> (..., l, e).

    Arguments: `attn_mask` of a shape that broadcasts to (..., l, s): booleans, True where to look, or numbers that
    are added to the scores; `is_causal` position i looks at positions up to i; `scale` is 1 / sqrt(d) unless given;
    `dropout_p` of the weights. A position that may look at nothing gets zeros. Raises ShapeError,
    ArgumentError. Vaswani et al. 2017.

    >>> import numpy as np, tinygrad_math as tm
    >>> q = np.zeros((1, 2, 4))
    >>> tm.nn.functional.scaled_dot_product_attention(q, q, np.array([[[0.0], [1.0]]]), is_causal=True)
    tensor([[[0. ],
             [0.5]]])
    """
    q, k, v = shaped(query), shaped(key), shaped(value)
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"attention: q (..., l, d), k (..., s, d), v (..., s, e), got {describe(q)}, {describe(k)}, {describe(v)}"
        )
    if is_causal and attn_mask is not None:
        raise ArgumentError("attention: is_causal is a mask of its own; give one of the two")
    weights = _weights(q, k, attn_mask, is_causal, scale)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return rec.matmul(weights, v)


def _weights(q: Any, k: Any, mask: Any, is_causal: bool, scale: float | None) -> Any:
    """The softmax of the scores; zeros, and not 0 / 0, for a query that may look at nothing."""
    scores = _scores(q, k, mask, is_causal, scale)
    if mask is None:
        return rec.softmax(scores, axis=-1)
    sees = rec.any(rec.greater(scores, -np.inf), axis=-1, keepdims=True)
    if known(sees) and bool(np.all(sees.node.data)):
        return rec.softmax(scores, axis=-1)
    return rec.where(sees, rec.softmax(rec.where(sees, scores, 0.0), axis=-1), 0.0)


def _scores(q: Any, k: Any, mask: Any, is_causal: bool, scale: float | None) -> Any:
    scores = rec.matmul(q * (1 / math.sqrt(q.shape[-1]) if scale is None else scale), rec.matrix_transpose(k))
    if is_causal:
        mask = np.tri(*scores.shape[-2:], dtype=bool)
    if mask is None:
        return scores
    mask = shaped(mask)
    masked = rec.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + _added(mask, scores.dtype)
    if masked.shape != scores.shape:
        raise ShapeError(f"attention: a mask {describe(mask)} does not broadcast to the scores {describe(scores)}")
    return masked


class MultiheadAttention(Module):
    """Attention in num_heads parts of the width embed_dim, side by side, mixed by a matrix at the end.

    Arguments: PyTorch's (`add_bias_kv` and `add_zero_attn` are not there); `dtype`, `rng` for the start. Parameters:
    `in_proj_weight` (3 embed_dim, embed_dim), or `q_proj_weight`, `k_proj_weight`, `v_proj_weight` where kdim or vdim
    differ; `in_proj_bias` (3 embed_dim,); `out_proj.weight`, `out_proj.bias`.

    >>> import numpy as np, tinygrad_math as tm
    >>> x = np.ones((5, 2, 8))
    >>> y, weights = tm.nn.MultiheadAttention(8, 2)(x, x, x)
    >>> y.shape, weights.shape
    ((5, 2, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__()
        self.embed_dim, self.num_heads = sizes((embed_dim, num_heads), 2, "MultiheadAttention", "its size")
        if embed_dim % num_heads:
            raise ArgumentError(f"MultiheadAttention: {num_heads} heads do not divide a width of {embed_dim}")
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first = check_probability(dropout, "MultiheadAttention"), batch_first
        draw = generator(rng)
        self.same = self.kdim == self.vdim == embed_dim

        def matrix(rows: int, columns: int) -> Parameter:
            p = Parameter(np.zeros((rows, columns)), dtype=dtype)
            init.xavier_uniform_(p, rng=draw)
            return p

        if self.same:
            self.in_proj_weight = matrix(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight, self.k_proj_weight = matrix(embed_dim, embed_dim), matrix(embed_dim, self.kdim)
            self.v_proj_weight = matrix(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim), dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=draw)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def _projected(self, q: Any, k: Any, v: Any) -> list[Any]:
        biases: Any = (None,) * 3 if self.in_proj_bias is None else rec.split(self.in_proj_bias, 3)
        if not self.same:
            weights: Any = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        elif q is k and k is v:
            return list(rec.split(linear(q, self.in_proj_weight, self.in_proj_bias), 3, axis=-1))
        else:
            weights = rec.split(self.in_proj_weight, 3)
        return [linear(x, w, b) for x, w, b in zip((q, k, v), weights, biases, strict=True)]

    @named
    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(outputs, weights or None). query (l, n, embed_dim), (n, l, embed_dim) with batch_first, or without n.

        Arguments: `key_padding_mask` (n, s), True where a key is to be ignored, or numbers that are added;
        `attn_mask` (l, s) or (n * num_heads, l, s), likewise (True: do not look, the other way round than in
        scaled_dot_product_attention); `is_causal` says that attn_mask is the causal one, and makes it where it is not
        given.
        """
        q = shaped(query)
        k = q if key is query else shaped(key)
        v = k if value is key else shaped(value)
        single = q.ndim == 2
        if q.ndim not in (2, 3) or k.ndim != q.ndim or v.ndim != q.ndim:
            raise ShapeError(f"MultiheadAttention: three arrays of two or three axes, got {describe((q, k, v))}")
        wanted = self.embed_dim, self.kdim, self.vdim
        if any(x.shape[-1] != width for x, width in zip((q, k, v), wanted, strict=True)):
            raise ShapeError(f"MultiheadAttention: widths {wanted} for query, key and value, got {describe((q, k, v))}")
        q, k, v = self._projected(q, k, v)
        if not self.batch_first and not single:
            q, k, v = (rec.swapaxes(x, 0, 1) for x in (q, k, v))
        if single:
            q, k, v = (rec.expand_dims(x, axis=0) for x in (q, k, v))
        n, length, heads = q.shape[0], q.shape[1], self.num_heads
        q, k, v = (
            rec.swapaxes(rec.reshape(x, (n, x.shape[1], heads, self.embed_dim // heads)), 1, 2) for x in (q, k, v)
        )
        if is_causal and attn_mask is None:
            attn_mask = ~np.tri(length, k.shape[2], dtype=bool)
        mask = self._mask(attn_mask, key_padding_mask, n, length, k.shape[2], q.dtype)
        weights = _weights(q, k, mask, False, None)
        if self.dropout and self.training:
            weights = dropout(weights, self.dropout)
        y = rec.reshape(rec.swapaxes(rec.matmul(weights, v), 1, 2), (n, length, self.embed_dim))
        y = self.out_proj(y)
        shown = None if not need_weights else rec.mean(weights, axis=1) if average_attn_weights else weights
        if single:
            return rec.squeeze(y, axis=0), None if shown is None else rec.squeeze(shown, axis=0)
        return (y if self.batch_first else rec.swapaxes(y, 0, 1)), shown

    def _mask(self, attn: Any, padding: Any, n: int, length: int, keys: int, dtype: Any) -> Any:
        """The two masks as numbers that are added to scores (n, heads, length, keys)."""
        total = None
        if attn is not None:
            attn = _added(shaped(attn), dtype)
            if attn.shape == (n * self.num_heads, length, keys):
                attn = rec.reshape(attn, (n, self.num_heads, length, keys))
            elif attn.shape != (length, keys):
                raise ShapeError(f"MultiheadAttention: attn_mask is ({length}, {keys}), got {describe(attn)}")
            total = attn
        if padding is not None:
            padding = _added(shaped(padding), dtype)
            if padding.shape not in ((n, keys), (keys,)):
                raise ShapeError(f"MultiheadAttention: key_padding_mask is ({n}, {keys}), got {describe(padding)}")
            padding = rec.reshape(padding, (*padding.shape[:-1], 1, 1, keys))
            total = padding if total is None else total + padding
        return total

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}"


def _added(mask: Any, dtype: Any) -> Any:
    """A mask as numbers to be added to scores of this dtype, which they keep."""
    if mask.dtype.kind == "b":
        return rec.where(mask, np.array(-np.inf, dtype), np.array(0, dtype))
    return mask if mask.dtype == dtype else rec.astype(mask, dtype)
