"""Transformers: the layers of encoder and decoder, stacks of them, and both together. Vaswani et al. 2017."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, describe, integer
from ..core.tensor import Tensor
from . import init
from .activations import gelu, relu
from .attention import MultiheadAttention
from .common import check_layers, generator, shaped, sizes
from .containers import ModuleList
from .dense import Linear
from .dropout import Dropout
from .module import Module
from .normalization import LayerNorm


def _activation(asker: str, activation: Any) -> Callable[[Any], Any]:
    known: dict[Any, Callable[[Any], Any]] = {"relu": relu, "gelu": gelu}
    if not callable(activation) and activation not in known:
        raise ArgumentError(f"{asker}: activation is 'relu', 'gelu' or a function, got {activation!r:.40}")
    return activation if callable(activation) else known[activation]


class _Layer(Module):
    """What the layers of encoder and decoder are made of: attentions of these names, then two linear layers.

    Each of these parts has a norm and a dropout of its own, numbered from 1.
    """

    ATTENTIONS: ClassVar[tuple[str, ...]]
    self_attn: MultiheadAttention

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__()
        draw = generator(rng)
        self.activation, self.norm_first = _activation(type(self).__name__, activation), norm_first
        for name in self.ATTENTIONS:
            part = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype, rng=draw)
            setattr(self, name, part)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, rng=draw)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, rng=draw)
        numbers = range(1, len(self.ATTENTIONS) + 2)
        for k in numbers:
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for k in numbers:
            setattr(self, f"dropout{k}", Dropout(dropout))

    def _feed(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _through(self, x: Any, *attentions: Callable[[Any], Any]) -> Tensor:
        """Each part added to what came into it, which is normalised before or after."""
        for k, part in enumerate((*attentions, self._feed), 1):
            norm, dropout = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x


class TransformerEncoderLayer(_Layer):
    """Attention to oneself and two linear layers, each added to what came in and normalised. Vaswani et al. 2017.

    Arguments: PyTorch's; `activation` "relu", "gelu" or a function; `norm_first` normalises before instead of after.
    Parameters: those of `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True).eval()
    >>> layer(np.ones((2, 5, 8))).shape
    (2, 5, 8)
    """

    ATTENTIONS = ("self_attn",)

    @named
    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._through(shaped(src), attend)


class TransformerDecoderLayer(_Layer):
    """Attention to oneself, attention to `memory`, and two linear layers, each added to what came in and normalised.

    Arguments: PyTorch's; `activation` "relu", "gelu" or a function; `norm_first` normalises before instead of after.
    Parameters: those of `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `norm3`.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True).eval()
    >>> layer(np.ones((2, 5, 8)), np.ones((2, 3, 8)), tgt_is_causal=True).shape
    (2, 5, 8)
    """

    ATTENTIONS = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention

    @named
    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        memory = shaped(memory)

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look(x: Any) -> Any:
            given = memory_key_padding_mask, False, memory_mask
            return self.multihead_attn(x, memory, memory, *given, is_causal=memory_is_causal)[0]

        return self._through(shaped(tgt), attend, look)


def _copies(asker: str, layer: Any, many: Any) -> ModuleList:
    if not isinstance(layer, Module):
        raise ArgumentError(f"{asker} takes a layer to copy, got {describe(layer)}")
    (count,) = sizes(many, 1, asker, "num_layers")
    check_layers(count, asker)
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """Copies of one layer, one after the other; `norm` a module for what comes out. They begin with the same numbers.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> net = tm.nn.TransformerEncoder(layer, num_layers=2).eval()
    >>> net(np.ones((2, 5, 8))).shape, len(list(net.parameters()))
    ((2, 5, 8), 24)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers, self.norm = _copies("TransformerEncoder", encoder_layer, num_layers), norm

    @named
    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Tensor:
        x = shaped(src)
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal)
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Copies of one layer, one after the other, each looking at `memory`; `norm` a module for what comes out.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> net = tm.nn.TransformerDecoder(layer, num_layers=2).eval()
    >>> net(np.ones((2, 5, 8)), np.ones((2, 3, 8))).shape
    (2, 5, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers, self.norm = _copies("TransformerDecoder", decoder_layer, num_layers), norm

    @named
    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x, seen = shaped(tgt), shaped(memory)
        given = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal
        for layer in self.layers:
            x = layer(x, seen, *given)
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder of `src` and a decoder of `tgt` that looks at what the encoder gives, each with a norm at its end.

    Arguments: PyTorch's. All matrices begin with `init.xavier_uniform_`.

    >>> import numpy as np, tinygrad_math as tm
    >>> net = tm.nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True).eval()
    >>> mask = net.generate_square_subsequent_mask(5)
    >>> net(np.ones((2, 3, 8)), np.ones((2, 5, 8)), tgt_mask=mask).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__()
        draw = generator(rng)
        given = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        encoder = TransformerEncoderLayer(*given, dtype=dtype, rng=draw)
        decoder = TransformerDecoderLayer(*given, dtype=dtype, rng=draw)
        self.encoder = TransformerEncoder(encoder, num_encoder_layers, norm)
        self.decoder = TransformerDecoder(decoder, num_decoder_layers, copy.deepcopy(norm))
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p, rng=draw)

    @staticmethod
    @named
    def generate_square_subsequent_mask(sz: int) -> Tensor:
        """Minus infinity above the diagonal, 0 elsewhere: position i looks at positions up to i."""
        n = integer(sz, "generate_square_subsequent_mask", "sz")
        if n < 0:
            raise ArgumentError(f"generate_square_subsequent_mask: sz is a length, 0 or more, got {n}")
        return Tensor(np.triu(np.full((n, n), -np.inf), 1))

    @named
    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        padding = tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, tgt_mask, memory_mask, *padding, tgt_is_causal, memory_is_causal)
