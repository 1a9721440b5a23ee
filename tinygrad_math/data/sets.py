"""Real data that scikit-learn ships (the extra `examples`): nothing is downloaded."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..core.errors import MissingExtra, installing

Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def _from_scikit_learn(name: str) -> Pair:
    try:
        sets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise MissingExtra(f"data.{name} needs scikit-learn: {installing('examples')}") from error
    x, y = getattr(sets, f"load_{name}")(return_X_y=True)
    return np.asarray(x, np.float64), np.asarray(y)


def digits() -> Pair:
    """1,797 handwritten digits: x (1797, 64) grey values of 8 x 8 pixels from 0 to 1, y (1797,) the digit.

    Raises MissingExtra without scikit-learn. Alpaydin and Kaynak 1998, UCI.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.digits()
    >>> x.shape, x.max().item(), y[:4]
    ((1797, 64), 1.0, array([0, 1, 2, 3]))
    """
    x, y = _from_scikit_learn("digits")
    return x / 16.0, y.astype(np.int64)


def diabetes() -> Pair:
    """Ten measurements of 442 patients, each of mean 0, and the progress of their disease: x (442, 10), y (442, 1).

    Raises MissingExtra without scikit-learn. Efron, Hastie, Johnstone, Tibshirani 2004.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.diabetes()
    >>> x.shape, y.shape, y.mean().round(2).item()
    ((442, 10), (442, 1), 152.13)
    """
    x, y = _from_scikit_learn("diabetes")
    return x, y.astype(np.float64)[:, None]


def wine() -> Pair:
    """Thirteen measurements of 178 wines from three growers: x (178, 13), y (178,) the grower.

    Raises MissingExtra without scikit-learn. Forina et al. 1991, UCI.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.wine()
    >>> x.shape, len(set(y.tolist()))
    ((178, 13), 3)
    """
    x, y = _from_scikit_learn("wine")
    return x, y.astype(np.int64)


def breast_cancer() -> Pair:
    """Thirty measurements of 569 tumours: x (569, 30), y (569,), 1 for a benign one.

    Raises MissingExtra without scikit-learn. Wolberg, Street, Mangasarian 1995, UCI.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.breast_cancer()
    >>> x.shape, y.sum().item()
    ((569, 30), 357)
    """
    x, y = _from_scikit_learn("breast_cancer")
    return x, y.astype(np.int64)
