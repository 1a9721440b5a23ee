"""Arguments that PyTorch's layers and losses have, and ours do not: what changes nothing is taken, anything else
refused by name, with what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import other_words, title
from ..core.errors import ArgumentError, describe

_LEGACY = "say reduction='mean', 'sum' or 'none'"

# argument -> what it may be, and what to write in place of another value
_THEIRS: dict[str, tuple[tuple[Any, ...], str]] = {
    "size_average": ((None,), _LEGACY),
    "reduce": ((None,), _LEGACY),
    "sparse": ((False,), "gradients are full arrays"),
    "scale_grad_by_freq": ((False,), "divide weight.grad by the counts before the step"),
    "max_norm": ((None,), "shorten the rows of weight after the step"),
    "norm_type": ((2.0,), "it belongs to max_norm"),
    "return_indices": ((False,), "tm.nn.functional.unfold gives the windows, and argmax the places in them"),
    "recompute_scale_factor": ((None, False), "give size="),
    "antialias": ((False,), "average before, by avg_pool2d"),
    "add_bias_kv": ((False,), "join a learnt row to key and value"),
    "add_zero_attn": ((False,), "join a row of zeros to key and value"),
    "proj_size": ((0,), "a tm.nn.Linear after the layer"),
    "enable_nested_tensor": ((True, False), ""),
    "mask_check": ((True, False), ""),
    "custom_encoder": ((None,), "call your encoder and a tm.nn.TransformerDecoder one after the other"),
    "custom_decoder": ((None,), "call a tm.nn.TransformerEncoder and your decoder one after the other"),
    "device": ((None, "cpu"), "everything is on the CPU, the one device there is"),
    "foreach": ((None, True, False), ""),
}


def _read(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The call without PyTorch's arguments, where these are what they are there by default.

    By `inplace` nothing is saved here. What a layer returns is the same with it; of a function the result is often
    left lying, and then the argument would have to change.
    """
    if not str(getattr(f, "__module__", "")).startswith(f"{__package__}."):
        return NotImplemented
    name = type(args[0]).__name__ if f.__name__ == "__init__" else title(f)
    known = getattr(getattr(f, "__wrapped__", f), "__code__", None)
    if known is None:
        return NotImplemented
    taken = known.co_varnames[: known.co_argcount + known.co_kwonlyargcount]
    theirs = [k for k in kwargs if (k in _THEIRS or k == "inplace") and k not in taken]
    if not theirs:
        return NotImplemented
    for k in theirs:
        if k == "inplace":
            if not isinstance(kwargs[k], (bool, np.bool_)):
                raise ArgumentError(
                    f"{name}: inplace is True or False, and saves nothing here; got {describe(kwargs[k])}"
                )
            if kwargs[k] and f.__name__ != "__init__":
                raise ArgumentError(
                    f"{name}: nothing writes into what it is given; leave inplace=True out, and use what it returns"
                )
        elif not any(kwargs[k] is v or kwargs[k] == v for v in _THEIRS[k][0]):
            raise ArgumentError(f"{name}: there is no {k} here, got {describe(kwargs[k])}; {_THEIRS[k][1]}")
    return f(*args, **{k: v for k, v in kwargs.items() if k not in theirs})


other_words.append(_read)
