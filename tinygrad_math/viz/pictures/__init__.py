"""Pictures of the lecture's pages with matplotlib, which is imported when the first one is drawn."""

from .maps import change_of_basis as change_of_basis
from .maps import dft_basis as dft_basis
from .maps import matrix_map as matrix_map
from .subspaces import four_subspaces as four_subspaces
from .surfaces import curvature as curvature
from .surfaces import gradient_field as gradient_field
from .vectors import hyperplane as hyperplane
from .vectors import projection as projection
from .vectors import unit_balls as unit_balls

__all__ = [
    "change_of_basis",
    "curvature",
    "dft_basis",
    "four_subspaces",
    "gradient_field",
    "hyperplane",
    "matrix_map",
    "projection",
    "unit_balls",
]
