"""Libraries that ask to be told of new kinds of arrays: einops, einx, autoray (on which quimb stands), scipy.fft.

Each is told in the way that it provides, when it is imported, and not before: nothing here imports one of them. einops
finds the subclasses of its backends, einx what `array_api_compat` knows once that is imported, autoray what
`register_function` adds, scipy.fft what `register_backend` does. Where einops should one day take registrations,
`Backend` below is the one to hand in.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def _einops(backends: Any) -> None:
    """NumPy's backend, with this package's functions of the same names."""
    if not hasattr(backends, "NumpyBackend"):
        return

    class Backend(backends.NumpyBackend):  # type: ignore[misc]
        framework_name = _PACKAGE

        def __init__(self) -> None:
            self.np = sys.modules[_PACKAGE]

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, self.np.Tensor)

        def from_numpy(self, x: Any) -> Any:
            return self.np.asarray(x)

        def to_numpy(self, x: Any) -> Any:
            return x.numpy()

    backends.Backend_of_tinygrad_math = Backend  # einops holds its backends by weak references only


def _einx(einx: Any) -> None:
    """einx knows the Array API's tensors once this package is imported, if it is there."""
    if importlib.util.find_spec("array_api_compat") is not None:
        importlib.import_module("array_api_compat")


def _autoray(autoray: Any) -> None:
    """The functions whose arguments autoray means otherwise than the Array API does."""
    ours = sys.modules[_PACKAGE]
    if hasattr(autoray, "register_function"):
        autoray.register_function(_PACKAGE, "linalg.svd", lambda x: ours.linalg.svd(x, full_matrices=False))
        autoray.register_function(_PACKAGE, "complex", lambda re, im: re + 1j * im)


class _Transforms:
    """scipy.fft of a Tensor is this package's transform of the same name; everything else is left to SciPy."""

    __ua_domain__ = "numpy.scipy.fft"

    @staticmethod
    def __ua_function__(method: Any, args: Any, kwargs: Any) -> Any:
        ours = sys.modules[_PACKAGE]
        x = args[0] if args else kwargs.get("x")
        own = vars(ours.fft).get(method.__name__) if isinstance(x, ours.Tensor) else None
        if own is None:
            return NotImplemented
        about_speed = ("overwrite_x", "workers", "plan")  # which change no value
        return own(*args, **{k: v for k, v in kwargs.items() if k not in about_speed})


def _scipy_fft(transforms: Any) -> None:
    transforms.register_backend(_Transforms)


_KNOWN: dict[str, Callable[[Any], None]] = {
    "einops._backends": _einops,
    "einx": _einx,
    "autoray": _autoray,
    "scipy.fft": _scipy_fft,
}


class _Meeting:
    """Finds the modules that are to be told of this package, as Python finds them, and tells them once they stand."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name not in _KNOWN:
            return None
        spec: ModuleSpec | None = None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    break
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _KNOWN[name](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def meet() -> None:
    """Tell those that are imported already, and wait for the others."""
    for name, tell in _KNOWN.items():
        if name in sys.modules:
            tell(sys.modules[name])
    if not any(type(finder).__qualname__ == _Meeting.__qualname__ for finder in sys.meta_path):
        sys.meta_path.insert(0, _Meeting())
