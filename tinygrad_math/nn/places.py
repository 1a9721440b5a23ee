"""Parts of a network by their paths: `encoder.0.weight`."""

from __future__ import annotations

from typing import Any

from ..compiler.cache import Compiled
from ..core.arguments import named
from ..core.errors import ArgumentError, describe
from ..core.tensor import Tensor


def opened(value: Any) -> Any:
    """A compiled module stands for the module."""
    return value.module if isinstance(value, Compiled) and value.module is not None else value


class Places:
    """What a module has at a path, through modules below it, lists, tuples and dicts."""

    @named
    def get_submodule(self, target: str) -> Any:
        """The module at a path; "" is this one. Raises ArgumentError where there is none."""
        found = self._at(target) if target else self
        if not isinstance(found, Places):
            raise self._nothing(target, "module")
        return found

    @named
    def get_parameter(self, target: str) -> Any:
        """The Parameter at a path. Raises ArgumentError where there is none."""
        return self._tensor(target, "parameter", dict(self.named_parameters(remove_duplicate=False)))

    @named
    def get_buffer(self, target: str) -> Any:
        """The buffer at a path. Raises ArgumentError where there is none."""
        return self._tensor(target, "buffer", dict(self.named_buffers(remove_duplicate=False)))

    @named
    def add_module(self, name: str, module: Any) -> None:
        """Keep a module, or None, as attribute `name`.

        Raises ArgumentError for what is no module, and for a name that is none, or taken.
        """
        if module is not None and not isinstance(opened(module), Places):
            raise ArgumentError(f"add_module: {name} is a module or None, got {describe(module)}")
        if not name or "." in name or (hasattr(self, name) and not isinstance(getattr(self, name), Places)):
            raise ArgumentError(f"add_module: {name!r:.40} is no name for a part of {type(self).__name__}, or is taken")
        setattr(self, name, module)

    register_module = add_module

    @named
    def set_submodule(self, target: str, module: Any) -> None:
        """Put another module in the place of the one at a path. Raises ArgumentError where there is none."""
        self.get_submodule(target)
        if not target or not isinstance(opened(module), Places):
            raise ArgumentError(
                f"set_submodule: a module below this one, and another; got {target!r:.60}, {module!r:.60}"
            )
        above, _, last = target.rpartition(".")
        place = self._at(above) if above else self
        if isinstance(place, Places):
            setattr(place, last, module)
        elif isinstance(place, (list, dict)):
            place[_key(place, last)] = module
        else:
            raise ArgumentError(f"set_submodule: {above} is a {type(place).__name__}, which cannot be changed")

    def _at(self, path: str) -> Any:
        """What stands at a path, or None."""
        found: Any = self
        for part in path.split("."):
            if isinstance(found, Places):
                found = opened(found.__dict__.get(part))
            elif isinstance(found, (list, tuple, dict)):
                key = _key(found, part)
                found = None if key is None else opened(found[key])
            else:
                return None
        return found

    def _tensor(self, target: str, kind: str, known: dict[str, Tensor]) -> Tensor:
        if target not in known:
            raise self._nothing(target, kind)
        return known[target]

    def _nothing(self, target: str, kind: str) -> ArgumentError:
        walks = {"module": "named_modules", "parameter": "named_parameters", "buffer": "named_buffers"}
        known = [path for path, _ in getattr(self, walks[kind])() if path]
        shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        return ArgumentError(f"{type(self).__name__} has no {kind} at {target!r:.60}; there are: {shown or 'none'}")

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Any:
        raise NotImplementedError

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Any:
        raise NotImplementedError


def _key(values: Any, part: str) -> Any:
    """The index or key that a part of a path names, or None."""
    if isinstance(values, dict):
        return next((k for k in values if str(k) == part), None)
    return int(part) if part.isdigit() and int(part) < len(values) else None
