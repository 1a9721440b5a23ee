"""Drawing: pictures of the lecture's pages."""

from __future__ import annotations

from typing import Any

from ..core.elsewhere import find
from ..core.opening import opened

PICTURES = (
    "body",
    "change_of_basis",
    "curvature",
    "dft_basis",
    "four_subspaces",
    "gradient_field",
    "hyperplane",
    "matrix_map",
    "projection",
    "unit_balls",
    "vectors",
)


def __getattr__(name: str) -> Any:
    """Pictures stand on all of geometry and the transforms, so they are read when the first one is asked for."""
    if name in PICTURES:
        return getattr(opened(f"{__name__}.pictures"), name)
    return find("viz", name)


def __dir__() -> list[str]:
    return sorted(PICTURES)
