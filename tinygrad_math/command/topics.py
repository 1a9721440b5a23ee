"""The topics of a first course in the mathematics of deep learning: the ops that serve each, and its example."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """What it is about, in a sentence; names of ops; the example's file."""

    title: str
    words: str
    ops: tuple[str, ...]
    example: str


TOPICS = (
    Topic("Linear equations", "A weighted sum of unknowns that is to be one number.", ("matmul", "contract"),
          "01_linear_equations.py"),
    Topic("Distance", "How far two points are apart, and the direction in which that grows.", ("lp_norm", "subtract"),
          "02_distance.py"),
    Topic("Vectors", "Sums, the dot product as projection and length, the cross product, angles.",
          ("contract", "multiply", "arctan2", "hypot"), "03_vector_operations.py"),
    Topic("Hadamard product", "Element by element: gates that let through a share.", ("multiply",),
          "04_hadamard_product.py"),
    Topic("Gates of an LSTM", "Products of gates and memory, and why a gradient lives long in them.",
          ("sigmoid", "tanh", "multiply", "affine"), "05_lstm_cell.py"),
    Topic("Projection", "The nearest point of a line or a plane.", ("matmul", "solve", "qr"), "06_projection.py"),
    Topic("A neuron", "An inner product, and where on the sphere it answers most.", ("matmul", "relu", "tanh"),
          "07_neuron.py"),
    Topic("Unit vectors", "Direction without length; the origin has none.", ("lp_norm", "divide"), "08_unit_vector.py"),
    Topic("Hyperplanes", "Sides and signed distances.", ("matmul", "sign"), "09_hyperplane.py"),
    Topic("Spheres and their kin", "Inside, on, outside; volumes in every dimension.", ("lp_norm", "max", "gammaln"),
          "10_spheres.py"),
    Topic("Matrices as maps", "What they do to space: stretch, turn, mirror, flatten, shear.", ("matmul",),
          "11_matrices_as_maps.py"),
    Topic("Eigenvectors", "Directions that a matrix keeps, and how its eigenvalues move.", ("eig", "eigh"),
          "12_eigenvectors.py"),
    Topic("Linear systems", "When there is a solution, one or a family.", ("solve", "pinv", "svd"),
          "13_linear_systems.py"),
    Topic("Independence and basis", "Vectors none of which the others make.", ("qr", "svd"),
          "14_independence_and_basis.py"),
    Topic("Change of basis", "The same vector in other coordinates.", ("inv", "solve"), "15_change_of_basis.py"),
    Topic("The Fourier basis", "A signal in coordinates of waves.", ("fft", "ifft", "rfft"), "16_fourier_basis.py"),
    Topic("Four subspaces", "What a matrix reaches, what it does not see, and the rest of both spaces.", ("svd", "qr"),
          "17_four_subspaces.py"),
    Topic("The inverse", "Its laws, its derivative, and matrices without one.", ("inv", "det", "slogdet"),
          "19_inverse.py"),
    Topic("Least squares", "Systems with too many equations, or too few.", ("pinv", "solve", "svd"),
          "20_least_squares.py"),
    Topic("Matrix algebra", "Transpose, broadcasting, products that do not commute, trace.",
          ("matmul", "transpose", "diagonal", "add"), "23_matrix_algebra.py"),
    Topic("Norms", "Lengths of vectors and sizes of matrices, and their gradients.", ("lp_norm", "nuclear_norm", "svd"),
          "24_norms.py"),
    Topic("Rotations", "About the axes of space, and what generates them.", ("sin", "cos", "matmul"),
          "25_rotations.py"),
    Topic("Derivatives", "Slope, gradient, and the gradient of the gradient.", ("power", "square", "exp", "sin"),
          "21_derivatives.py"),
    Topic("Chain, product and quotient rule", "How derivatives of parts make that of the whole.",
          ("multiply", "divide", "exp", "add"), "22_chain_rule.py"),
)  # fmt: skip
