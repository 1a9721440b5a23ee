"""Pictures of the lecture's pages with matplotlib, which is imported when the first one is drawn."""

from .arrows import hyperplane as hyperplane
from .arrows import projection as projection
from .arrows import unit_balls as unit_balls
from .arrows import vectors as vectors
from .bodies import body as body
from .maps import change_of_basis as change_of_basis
from .maps import dft_basis as dft_basis
from .maps import matrix_map as matrix_map
from .subspaces import four_subspaces as four_subspaces
from .surfaces import curvature as curvature
from .surfaces import gradient_field as gradient_field

__all__ = [
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
]
