"""Layers with all the arguments that change their mathematics."""

import itertools

import numpy as np
from references import Case, normal


def named(kind, *given, **arguments):
    shown = [repr(a) for a in given] + [f"{k}={v!r}" for k, v in arguments.items()]
    return f"{kind}({', '.join(shown)})"


def layer(kind, *given, inputs, note="", **arguments):
    """A module of `nn` by name; its arguments are PyTorch's, by the same names."""
    options = {k: arguments.pop(k) for k in ("fixed", "call", "training") if k in arguments}
    return Case(
        named(kind, *given, **arguments) + note, lambda nn: getattr(nn, kind)(*given, **arguments), inputs, **options
    )


def function(kind, *given, inputs, note="", **arguments):
    """A function of `nn.functional`; the inputs come first."""
    options = {k: arguments.pop(k) for k in ("fixed",) if k in arguments}

    def make(nn):
        return lambda *xs: getattr(nn.functional, kind)(*xs, *given, **arguments)

    return Case("F." + named(kind, *given, **arguments) + note, make, inputs, **options)


# -- activations ------------------------------------------------------------------------------------
def spread(rng):
    """Small, large and very large numbers of both signs; none at a kink."""
    return (np.concatenate([rng.normal(size=6) * 2, [0.25, 1.5, -1.5, 6.5, 25.0, -25.0, 40.0, -40.0]]),)


def kinks(rng):
    return (np.array([0.0, 1.0, -1.0, 6.0, 0.5, -0.5]),)


SIMPLE = ["ReLU", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Softplus", "Tanh", "Sigmoid", "Mish"]
SIMPLE += ["Hardtanh", "ReLU6", "Identity", "Softsign", "Tanhshrink", "Hardshrink", "Softshrink", "Hardswish"]


def bends(rng):
    return (np.array([0.0, 0.5, -0.5, 3.0, -3.0, 1.25, -4.0]),)


ACTIVATIONS = [
    *(layer(kind, inputs=spread) for kind in SIMPLE),
    *(layer(kind, inputs=kinks, note=" at kinks") for kind in ("ReLU", "LeakyReLU", "GELU", "Softplus")),
    *(layer(kind, inputs=bends, note=" at bends") for kind in ("Hardshrink", "Softshrink", "Hardswish", "Softsign")),
    *(layer(kind, 1.25, inputs=bends) for kind in ("Hardshrink", "Softshrink")),
    layer("Threshold", 0.5, -2.0, inputs=bends),
    layer("GLU", inputs=normal((2, 4))),
    layer("GLU", 0, inputs=normal((4, 3))),
    layer("Softmin", dim=1, inputs=normal((2, 3))),
    layer("Softmax2d", inputs=normal((2, 3, 2, 1))),
    function("glu", dim=1, inputs=normal((2, 4, 3))),
    function("softmin", dim=0, inputs=normal((2, 3))),
    function("threshold", 0.25, 9.0, inputs=normal((2, 3))),
    layer("LeakyReLU", negative_slope=0.3, inputs=spread),
    layer("ELU", alpha=1.7, inputs=spread),
    layer("CELU", alpha=0.375, inputs=spread),  # PyTorch rounds alpha to single precision
    layer("GELU", approximate="tanh", inputs=spread),
    layer("Softplus", beta=2.0, threshold=5.0, inputs=spread),
    layer("Hardtanh", min_val=-0.5, max_val=2.0, inputs=spread),
    layer("PReLU", inputs=normal((2, 3, 4))),
    layer("PReLU", num_parameters=3, inputs=normal((2, 3, 4))),
    layer("PReLU", num_parameters=3, inputs=normal((4, 3)), note=" of rows"),
    *(layer(kind, dim=d, inputs=normal((2, 3, 2))) for kind in ("Softmax", "LogSoftmax") for d in (0, 1, -1)),
    layer("LogSoftmax", dim=1, inputs=normal((2, 3), scale=200.0), note=" of large scores"),
    *(function(kind, inputs=spread) for kind in ("relu", "elu", "selu", "silu", "mish", "tanh", "sigmoid", "relu6")),
    function("softplus", inputs=spread),
    function("gelu", approximate="tanh", inputs=spread),
    function("hardtanh", inputs=spread),
    function("leaky_relu", 0.2, inputs=spread),
    function("celu", 2.0, inputs=spread),
    function("softmax", dim=-1, inputs=normal((2, 3))),
    function("log_softmax", dim=0, inputs=normal((2, 3))),
    function("prelu", inputs=normal((2, 3), (3,))),
]


# -- dense ------------------------------------------------------------------------------------------
def _in_a_row(rng):
    return np.array([1, 4, 0, 3, 2]), np.array([0, 2, 2, 3])


DENSE = [
    *(layer("Linear", 3, 4, bias=b, inputs=normal((2, 3))) for b in (True, False)),
    layer("Linear", 3, 4, inputs=normal((2, 2, 3)), note=" of a stack"),
    layer("Linear", 3, 4, inputs=normal((3,)), note=" of a vector"),
    *(layer("Bilinear", 2, 3, 4, bias=b, inputs=normal((5, 2), (5, 3))) for b in (True, False)),
    layer("Bilinear", 2, 3, 2, inputs=normal((2, 2, 2), (2, 2, 3)), note=" of a stack"),
    layer("Flatten", inputs=normal((2, 3, 2))),
    layer("Unflatten", 1, (2, 3), inputs=normal((2, 6, 2))),
    layer("Unflatten", -1, (-1, 2), inputs=normal((2, 6))),
    layer("LogSigmoid", inputs=normal((2, 3))),
    layer("Flatten", start_dim=0, end_dim=1, inputs=normal((2, 3, 2))),
    layer("Dropout", p=0.4, training=False, inputs=normal((2, 3))),
    layer("Embedding", 5, 3, inputs=lambda rng: (rng.integers(0, 5, (2, 4)),)),
    layer("Embedding", 5, 3, padding_idx=1, inputs=lambda rng: (np.array([[1, 2, 1], [0, 4, 4]]),)),
    layer("Embedding", 5, 3, padding_idx=-1, inputs=lambda rng: (np.array([4, 2, 4]),)),
    *(
        layer("EmbeddingBag", 5, 3, mode=m, padding_idx=i, inputs=lambda rng: (np.array([[1, 2, 0], [0, 4, 3]]),))
        for m, i in itertools.product(("sum", "mean", "max"), (None, 1, -5))
    ),
    *(
        layer("EmbeddingBag", 5, 3, mode=m, padding_idx=i, inputs=_in_a_row, note=" in a row")
        for m, i in itertools.product(("sum", "mean", "max"), (None, 4))
    ),
    *(
        layer(
            "EmbeddingBag",
            5,
            3,
            mode=m,
            include_last_offset=True,
            inputs=lambda rng: (np.array([1, 4, 0]), np.array([0, 2, 2, 3])),
            note=" and its end",
        )
        for m in ("mean", "max")
    ),
    layer(
        "EmbeddingBag",
        5,
        3,
        mode="sum",
        inputs=lambda rng: (*_in_a_row(rng), rng.normal(size=5)),
        call=lambda m, x, o, w: m(x, o, per_sample_weights=w),
        note=" weighted",
    ),
    function(
        "embedding_bag",
        mode="max",
        inputs=lambda rng: (np.array([[0, 2], [1, 1]]), rng.permutation(9).reshape(3, 3) * 1.0),
    ),
    function("linear", inputs=normal((2, 3), (4, 3), (4,))),
    function("bilinear", inputs=normal((2, 3), (2, 2), (4, 3, 2), (4,))),
    function("embedding", padding_idx=2, inputs=lambda rng: (np.array([0, 2, 0]), rng.normal(size=(3, 2)))),
    function("one_hot", num_classes=4, inputs=lambda rng: (np.array([[3, 0], [1, 1]]),)),
]

# -- convolution ------------------------------------------------------------------------------------
_CONV2D = [
    {"stride": s, "padding": p, "dilation": d, "groups": g}
    for s, p, d, g in itertools.product((1, 2, (2, 1)), (0, (2, 1)), (1, 2), (1, 2))
]
_MODES = ("reflect", "replicate", "circular")
CONVOLUTION = [
    *(layer("Conv2d", 2, 4, (3, 2), inputs=normal((2, 2, 6, 5)), **kw) for kw in _CONV2D),
    *(layer("Conv2d", 2, 2, 3, padding=p, bias=False, inputs=normal((1, 2, 4, 5))) for p in ("same", "valid")),
    layer("Conv2d", 2, 2, (2, 4), padding="same", dilation=(1, 2), inputs=normal((1, 2, 5, 8))),
    *(
        layer("Conv2d", 2, 2, 3, padding=(2, 1), stride=s, padding_mode=m, inputs=normal((1, 2, 4, 5)))
        for m in _MODES
        for s in (1, 2)
    ),
    *(layer("Conv2d", 1, 2, (3, 2), padding="same", padding_mode=m, inputs=normal((1, 1, 4, 5))) for m in _MODES),
    layer("Conv2d", 2, 2, 3, inputs=normal((2, 4, 5)), note=" of one image"),
    *(
        layer("Conv1d", 2, 4, 3, stride=s, padding=p, dilation=d, groups=g, inputs=normal((2, 2, 9)))
        for s, p, d, g in ((1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1), (3, "valid", 2, 2))
    ),
    *(layer("Conv1d", 2, 2, 4, padding=2, padding_mode=m, inputs=normal((1, 2, 6))) for m in _MODES),
    layer("Conv1d", 2, 2, 4, padding="same", bias=False, inputs=normal((2, 7)), note=" of one row"),
    *(
        layer("ConvTranspose2d", 2, 4, (3, 2), inputs=normal((2, 2, 3, 4)), **kw)
        for kw in (
            {},
            {"stride": 2},
            {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)},
            {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2, "bias": False},
            {"dilation": 2, "padding": 1},
            {"dilation": (2, 3), "stride": 2, "output_padding": (1, 2), "groups": 2},
        )
    ),
    layer(
        "ConvTranspose2d",
        2,
        1,
        3,
        stride=2,
        inputs=normal((1, 2, 3, 3)),
        call=lambda m, x: m(x, output_size=(8, 7)),
        note=" to a given size",
    ),
    *(
        layer("ConvTranspose1d", 2, 4, 3, inputs=normal((2, 2, 5)), **kw)
        for kw in (
            {},
            {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2, "bias": False},
            {"dilation": 2, "stride": 3},
        )
    ),
    layer("ConvTranspose1d", 2, 1, 3, inputs=normal((2, 4)), note=" of one row"),
    function("conv_transpose1d", stride=2, padding=1, inputs=normal((1, 2, 3), (2, 2, 3), (2,))),
    *(
        layer("Unfold", (3, 2), inputs=normal((2, 2, 5, 4)), **kw)
        for kw in ({}, {"padding": (1, 0), "stride": 2}, {"dilation": (1, 2)})
    ),
    *(
        layer("Fold", (5, 4), (3, 2), inputs=normal((2, 12, windows)), **kw)
        for windows, kw in ((9, {}), (6, {"padding": (1, 0), "stride": 2}), (6, {"dilation": (1, 2)}))
    ),
    layer("Fold", (3, 3), 2, inputs=normal((4, 4)), note=" of one image"),
    function("unfold", 2, inputs=normal((1, 3, 4))),
    function("fold", (3, 4), 2, inputs=normal((1, 4, 6))),
    function("conv1d", padding=1, inputs=normal((1, 2, 5), (3, 2, 3), (3,))),
    function("conv2d", stride=2, padding="valid", inputs=normal((1, 2, 5, 5), (2, 2, 3, 3))),
    function("conv_transpose2d", stride=2, padding=1, inputs=normal((1, 2, 3, 3), (2, 2, 3, 3), (2,))),
]


# -- pooling ----------------------------------------------------------------------------------------
def _above_zero(rng):
    return (np.abs(rng.normal(size=(1, 2, 5, 6))) + 0.1,)


POOLING = [
    *(
        layer("MaxPool2d", k, stride=s, padding=p, dilation=d, ceil_mode=c, inputs=normal((1, 2, 7, 6)))
        for (k, s, p), d, c in itertools.product(
            ((2, None, 0), (3, 2, 1), ((3, 2), (1, 3), (1, 0))), (1, 2), (False, True)
        )
    ),
    *(
        layer(
            "AvgPool2d",
            k,
            stride=s,
            padding=p,
            ceil_mode=c,
            count_include_pad=i,
            divisor_override=o,
            inputs=normal((1, 2, 7, 6)),
        )
        for (k, s, p), c, (i, o) in itertools.product(
            ((2, None, 0), (3, 2, 1), ((3, 2), (1, 3), (1, 0))), (False, True), ((True, None), (False, None), (True, 5))
        )
    ),
    *(
        layer("AvgPool1d", 3, stride=2, padding=1, ceil_mode=c, count_include_pad=i, inputs=normal((2, 2, 8)))
        for c, i in itertools.product((False, True), (False, True))
    ),
    *(layer("MaxPool1d", 3, stride=2, padding=1, dilation=d, ceil_mode=c, inputs=normal((2, 2, 8)))
      for d, c in itertools.product((1, 2), (False, True))),
    layer("MaxPool2d", 2, inputs=normal((2, 4, 4)), note=" of one image"),
    *(
        layer(f"Adaptive{k}Pool1d", o, inputs=normal((2, 2, 7)))
        for k, o in itertools.product(("Avg", "Max"), (1, 3, 9))
    ),
    *(layer("AdaptiveMaxPool2d", o, inputs=normal((1, 2, 7, 5))) for o in (1, 3, (2, 5), (None, 3), 8)),
    layer("AdaptiveMaxPool1d", 3, inputs=normal((2, 7)), note=" of one row"),
    function("adaptive_avg_pool1d", 3, inputs=normal((1, 2, 5))),
    function("adaptive_max_pool1d", 3, inputs=normal((1, 2, 5))),
    function("adaptive_max_pool2d", (2, 3), inputs=normal((1, 2, 5, 5))),
    *(
        layer("LPPool2d", p, k, stride=s, ceil_mode=c, inputs=_above_zero)
        for p, (k, s), c in itertools.product((1, 2.5), ((2, None), ((3, 2), (1, 3))), (False, True))
    ),
    layer("LPPool2d", 2, 2, inputs=normal((1, 2, 4, 4)), note=" of both signs"),
    layer("LPPool1d", 2, 3, stride=2, inputs=normal((2, 2, 7))),
    function("lp_pool1d", 2, 2, inputs=normal((1, 2, 4))),
    function("lp_pool2d", 2, 2, inputs=normal((1, 2, 4, 4))),
    *(layer("AdaptiveAvgPool2d", o, inputs=normal((1, 2, 7, 5))) for o in (1, 3, (2, 5), (None, 3), 8)),
    function("max_pool2d", 2, padding=1, inputs=normal((1, 2, 4, 5))),
    function("max_pool1d", 2, inputs=normal((1, 2, 5))),
    function("avg_pool2d", 3, stride=1, inputs=normal((1, 2, 4, 5))),
    function("avg_pool1d", 2, inputs=normal((1, 2, 5))),
    function("adaptive_avg_pool2d", (2, 3), inputs=normal((1, 2, 5, 5))),
]  # fmt: skip


# -- normalisation ----------------------------------------------------------------------------------
def three_steps(m, *xs):
    return [m(x) for x in xs]


_BATCH = ({}, {"momentum": None}, {"momentum": 0.3, "eps": 1e-3}, {"affine": False}, {"track_running_stats": False})
NORMALISATION = [
    *(layer("BatchNorm1d", 3, inputs=normal(*[(4, 3)] * 3), call=three_steps, note=" 3 steps", **kw) for kw in _BATCH),
    *(layer("BatchNorm1d", 3, inputs=normal((4, 3)), training=False, note=" in eval", **kw) for kw in _BATCH),
    layer("BatchNorm1d", 2, inputs=normal((2, 2, 3)), note=" of rows"),
    layer("BatchNorm2d", 2, inputs=normal(*[(2, 2, 2, 3)] * 3), call=three_steps, note=" 3 steps"),
    layer("BatchNorm2d", 2, inputs=normal((2, 2, 2, 3)), training=False, note=" in eval"),
    layer("LayerNorm", 4, inputs=normal((2, 3, 4))),
    layer("LayerNorm", (3, 4), eps=1e-2, inputs=normal((2, 3, 4))),
    layer("LayerNorm", 4, elementwise_affine=False, inputs=normal((3, 4))),
    layer("LayerNorm", 4, bias=False, inputs=normal((3, 4))),
    layer("RMSNorm", 4, inputs=normal((3, 4))),
    layer("RMSNorm", (2, 4), eps=1e-2, inputs=normal((3, 2, 4))),
    layer("RMSNorm", 4, elementwise_affine=False, inputs=normal((3, 4))),
    layer("GroupNorm", 2, 4, inputs=normal((3, 4))),
    layer("GroupNorm", 2, 4, eps=1e-2, affine=False, inputs=normal((2, 4, 3))),
    layer("GroupNorm", 4, 4, inputs=normal((2, 4, 2, 2))),
    layer("InstanceNorm1d", 3, inputs=normal((2, 3, 4))),
    layer("InstanceNorm1d", 3, inputs=normal((3, 4)), note=" without a batch"),
    layer("InstanceNorm1d", 2, eps=1e-2, affine=True, inputs=normal((2, 2, 3))),
    layer("InstanceNorm2d", 2, affine=True, inputs=normal((2, 2, 2, 3))),
    layer("InstanceNorm2d", 2, inputs=normal((2, 2, 3)), training=False, note=" in eval"),
    Case(
        "F.layer_norm of weights",
        lambda nn: lambda x, w, b: nn.functional.layer_norm(x, (4,), w, b),
        normal((2, 4), (4,), (4,)),
    ),
    Case(
        "F.rms_norm of weights",
        lambda nn: lambda x, w: nn.functional.rms_norm(x, (4,), w, 1e-3),
        normal((2, 4), (4,)),
    ),
    Case(
        "F.group_norm of weights",
        lambda nn: lambda x, w, b: nn.functional.group_norm(x, 2, w, b),
        normal((2, 4, 2), (4,), (4,)),
    ),
    Case(
        "F.batch_norm in training, without running values",
        lambda nn: lambda x, w, b: nn.functional.batch_norm(x, None, None, w, b, True),
        normal((3, 2), (2,), (2,)),
    ),
]

# -- recurrent --------------------------------------------------------------------------------------
_ARGUMENTS = [
    {"num_layers": n, "bidirectional": d, "batch_first": f, "bias": b}
    for n, d, f, b in ((1, 0, 0, 1), (1, 0, 1, 0), (1, 1, 0, 1), (2, 0, 0, 1), (2, 1, 1, 1), (2, 1, 0, 0))
]
_ARGUMENTS = [{k: v if k == "num_layers" else bool(v) for k, v in kw.items()} for kw in _ARGUMENTS]


def _hidden(kind):
    return lambda m, x, h: m(x, (h, h * h)) if kind == "LSTM" else m(x, h)


RECURRENT = [
    case
    for kind in ("RNN", "LSTM", "GRU")
    for case in (
        *(layer(kind, 2, 3, inputs=normal((4, 2, 2)), **kw) for kw in _ARGUMENTS),
        layer(kind, 2, 3, 2, bidirectional=True, call=_hidden(kind), inputs=normal((3, 2, 2), (4, 2, 3)), note=" of h"),
        layer(kind, 2, 3, inputs=normal((4, 2)), note=" of one sequence"),
        layer(kind, 2, 3, inputs=normal((4, 2), (1, 3)), call=_hidden(kind), note=" of one sequence from h"),
        *(layer(kind + "Cell", 2, 3, bias=b, inputs=normal((2, 2))) for b in (True, False)),
        layer(kind + "Cell", 2, 3, inputs=normal((2, 2), (2, 3)), call=_hidden(kind), note=" from h"),
        layer(kind + "Cell", 2, 3, inputs=normal((2,)), note=" of a vector"),
    )
] + [
    layer("RNN", 2, 3, nonlinearity="relu", inputs=normal((4, 2, 2))),
    layer("RNNCell", 2, 3, nonlinearity="relu", inputs=normal((2, 2))),
]  # fmt: skip


# -- attention --------------------------------------------------------------------------------------
def itself(m, x, *rest, **options):
    return m(x, x, x, **options)


def with_masks(m, x, padding, mask):
    return m(x, x, x, key_padding_mask=padding, attn_mask=mask)


def _masks(shape, keys, batch, added):
    def draw(rng):
        mask = np.triu(np.ones((keys, keys), bool), 1)
        padding = np.zeros((batch, keys), bool)
        padding[0, -1] = True
        if added:
            mask = np.where(mask, -1.5, rng.normal(size=mask.shape))
            padding = np.where(padding, -2.0, 0.3)
        return rng.normal(size=shape), padding, mask

    return draw


def _heads_mask(rng):
    return rng.normal(size=(3, 2, 4)), rng.normal(size=(4, 3, 3))


_LATER = np.triu(np.ones((3, 3), bool), 1)
ATTENTION = [
    *(
        layer("MultiheadAttention", 4, 2, bias=b, batch_first=f, inputs=normal((3, 2, 4)), call=itself)
        for b, f in itertools.product((True, False), (True, False))
    ),
    *(
        layer("MultiheadAttention", 4, 2, kdim=3, vdim=2, bias=b, inputs=normal((3, 2, 4), (5, 2, 3), (5, 2, 2)))
        for b in (True, False)
    ),
    layer("MultiheadAttention", 4, 2, inputs=normal((3, 2, 4), (5, 2, 4), (5, 2, 4)), note=" across"),
    layer("MultiheadAttention", 4, 1, inputs=normal((3, 4)), call=itself, note=" of one sequence"),
    layer(
        "MultiheadAttention",
        4,
        2,
        inputs=normal((3, 2, 4)),
        call=lambda m, x: m(x, x, x, average_attn_weights=False),
        note=" weights of each head",
    ),
    layer(
        "MultiheadAttention",
        4,
        2,
        inputs=normal((3, 2, 4)),
        call=lambda m, x: m(x, x, x, need_weights=False),
        note=" no weights",
    ),
    layer("MultiheadAttention", 4, 2, inputs=_masks((3, 2, 4), 3, 2, False), call=with_masks, note=" masks"),
    layer(
        "MultiheadAttention",
        4,
        2,
        batch_first=True,
        inputs=_masks((2, 3, 4), 3, 2, True),
        fixed=(1, 2),
        call=with_masks,
        note=" masks added",
    ),
    layer(
        "MultiheadAttention",
        4,
        2,
        inputs=_heads_mask,
        fixed=(1,),
        call=lambda m, x, a: m(x, x, x, attn_mask=a),
        note=" a mask for each head",
    ),
    *(
        layer(
            "TransformerEncoderLayer", 4, 2, 5, dropout=0.0, activation=a, norm_first=n, batch_first=f,
            inputs=normal((2, 3, 4)),
        )
        for a, n, f in itertools.product(("relu", "gelu"), (True, False), (True, False))
    ),
    layer("TransformerEncoderLayer", 4, 2, 5, dropout=0.0, bias=False, layer_norm_eps=1e-2, inputs=normal((2, 3, 4))),
    layer(
        "TransformerEncoderLayer",
        4,
        2,
        5,
        dropout=0.0,
        inputs=_masks((3, 2, 4), 3, 2, False),
        call=lambda m, x, p, a: m(x, src_mask=a, src_key_padding_mask=p),
        note=" masks",
    ),
    *(
        layer(
            "TransformerDecoderLayer", 4, 2, 5, dropout=0.0, activation=a, norm_first=n, batch_first=f, bias=b,
            inputs=normal(*[(2, 2, 4)] * 2),
        )
        for a, n, f, b in (("relu", False, False, True), ("gelu", True, True, True), ("relu", True, False, False))
    ),
    layer(
        "TransformerDecoderLayer", 4, 2, 5, dropout=0.0, inputs=_masks((3, 2, 4), 3, 2, False),
        call=lambda m, x, p, a: m(x, 0.5 * x, tgt_mask=a, memory_key_padding_mask=p), note=" masks",
    ),
    layer(
        "TransformerDecoderLayer", 4, 2, 5, dropout=0.0, inputs=_masks((3, 2, 4), 3, 2, False),
        call=lambda m, x, p, a: m(x, 0.5 * x, memory_mask=a, tgt_key_padding_mask=p), note=" the other masks",
    ),
    *(
        Case(
            f"TransformerEncoder, norm={norm}",
            lambda nn, norm=norm: nn.TransformerEncoder(
                nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0), 2, nn.LayerNorm(4) if norm else None
            ),
            _masks((3, 2, 4), 3, 2, False),
            call=lambda m, x, p, a: m(x, mask=a, src_key_padding_mask=p),
        )
        for norm in (True, False)
    ),
    Case(
        "TransformerDecoder",
        lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 5, dropout=0.0), 2, nn.LayerNorm(4)),
        _masks((3, 2, 4), 3, 2, False),
        call=lambda m, x, p, a: m(x, 0.5 * x, tgt_mask=a, memory_key_padding_mask=p),
    ),
    Case(
        "Transformer",
        lambda nn: nn.Transformer(4, 2, 1, 1, 5, dropout=0.0, activation="gelu", batch_first=True),
        normal((2, 3, 4), (2, 2, 4)),
        call=lambda m, x, t: m(x, t, tgt_mask=m.generate_square_subsequent_mask(2)),
    ),
    function("scaled_dot_product_attention", inputs=normal((2, 3, 4), (2, 5, 4), (2, 5, 2))),
    function("scaled_dot_product_attention", is_causal=True, scale=0.3, inputs=normal(*[(2, 3, 4)] * 3)),
    *(
        Case(
            f"F.scaled_dot_product_attention mask {kind}",
            lambda nn: lambda q, k, v, mask: nn.functional.scaled_dot_product_attention(q, k, v, mask),
            lambda rng, m=m: (*(rng.normal(size=(2, 3, 4)) for _ in range(3)), m),
            fixed=(3,),
        )
        for kind, m in (
            ("of truth values", ~_LATER),
            ("added", np.where(_LATER, -np.inf, 0.5)),
            ("with a row that sees nothing", np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1]], bool)),
        )
    ),
]  # fmt: skip

# -- images made larger, smaller or bordered, and angles ---------------------------------------------------
_RESIZED = [{"scale_factor": 2}, {"scale_factor": (1.5, 2.6)}, {"size": (7, 2)}, {"size": 5}, {"scale_factor": 0.5}]
RESIZING = [
    *(layer("Upsample", **given, inputs=normal((1, 2, 4, 3))) for given in _RESIZED),
    *(
        layer("Upsample", **given, mode="bilinear", align_corners=corners, inputs=normal((1, 2, 4, 3)))
        for given in (*_RESIZED, {"size": 1})
        for corners in (None, True)
        if not (corners and "scale_factor" in given and isinstance(given["scale_factor"], tuple))
    ),
    function("interpolate", scale_factor=2, mode="linear", inputs=normal((2, 2, 3))),
    function("interpolate", size=7, inputs=normal((2, 2, 3))),
    function("pad", (1, 2), inputs=normal((2, 3))),
    function("pad", (1, 2, 0, 3), value=0.5, inputs=normal((2, 2, 3, 3))),
    *(function("pad", (1, 2, 0, 1), mode=m, inputs=normal((1, 2, 3, 4))) for m in _MODES),
    layer("ZeroPad2d", (1, 0, 2, 3), inputs=normal((2, 2, 3))),
    *(
        layer(f"{kind}Pad1d", w, inputs=normal((2, 2, 4)))
        for kind, w in itertools.product(("Zero", "Reflection", "Replication", "Circular"), (2, (1, 0)))
    ),
    *(
        layer(f"{kind}Pad2d", w, inputs=normal((1, 2, 4, 3)))
        for kind, w in itertools.product(("Reflection", "Replication", "Circular"), (2, (1, 0, 2, 1)))
    ),
    layer("ConstantPad1d", (1, 2), 3.5, inputs=normal((2, 4))),
    layer("ConstantPad2d", (1, 2, 0, 1), -1.5, inputs=normal((1, 2, 3, 3))),
    layer("PixelShuffle", 2, inputs=normal((2, 8, 2, 3))),
    layer("PixelUnshuffle", 2, inputs=normal((2, 2, 4, 6))),
    function("pixel_unshuffle", 3, inputs=normal((1, 2, 3, 6))),
    function("normalize", inputs=normal((3, 2, 4))),
    function("normalize", p=1.0, dim=-1, inputs=normal((3, 2, 4))),
    function("normalize", p=3.0, dim=0, inputs=normal((3, 2, 4))),
    function("cosine_similarity", inputs=normal((3, 4), (3, 4))),
    *(
        layer("PairwiseDistance", p, keepdim=k, inputs=normal((3, 4), (3, 4)))
        for p, k in ((2.0, False), (1.0, True), (3.0, False))
    ),
    function("pairwise_distance", inputs=normal((2, 3, 4), (3, 4))),
    *(function("pdist", p, inputs=normal((4, 3))) for p in (2.0, 1.0, 4.0)),
    layer("CosineSimilarity", dim=-1, inputs=normal((2, 3, 4), (3, 4))),
]


def computed(map_name, kind, *given, inputs, training=True, **options):
    """A layer whose weight is computed of others."""

    def make(nn):
        return getattr(nn.utils.parametrizations, map_name)(getattr(nn, kind)(*given), **options)

    title = named(map_name, kind, *given, **options) + ("" if training else ", eval")
    return Case(title, make, inputs, training=training)


COMPUTED = [
    *(computed("weight_norm", "Linear", 3, 2, dim=dim, inputs=normal((4, 3))) for dim in (0, 1, None)),
    computed("weight_norm", "Conv1d", 2, 3, 2, inputs=normal((2, 2, 5))),
    *(computed("spectral_norm", "Linear", 3, 2, training=t, inputs=normal((4, 3))) for t in (True, False)),
    computed("spectral_norm", "Conv2d", 2, 3, 2, n_power_iterations=3, inputs=normal((2, 2, 4, 4))),
    computed("spectral_norm", "ConvTranspose1d", 2, 3, 2, inputs=normal((2, 2, 4))),
]

FAMILIES = {
    "computed": COMPUTED,
    "resizing": RESIZING,
    "activations": ACTIVATIONS,
    "dense": DENSE,
    "convolution": CONVOLUTION,
    "pooling": POOLING,
    "normalisation": NORMALISATION,
    "recurrent": RECURRENT,
    "attention": ATTENTION,
}
LAYERS = [case for cases in FAMILIES.values() for case in cases]
