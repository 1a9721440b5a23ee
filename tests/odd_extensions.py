"""What we take and NumPy or SciPy refuse, or answer otherwise, by intent.

(path, argument, value, why), the first three as patterns of names.
"""

import fnmatch

EXTENSIONS = [
    ("*", "*", "2**6[34]|-2**63|10**30|-10**30|huge", "a large int is a float beside floats, not an object"),
    ("*", "*", "axes64", "as many axes as an array can have; SciPy's functions stop at 32"),
    ("*", "*", "true|false|np_bool", "True is the int 1, as in Python"),
    ("*", "*", "minus0", "minus zero is zero"),
    ("*", "*", "np_matrix|masked", "a matrix is the array of its values; a mask without masked elements too"),
    ("*", "*", "float16|longdouble|clongdouble", "dtypes that SciPy and LAPACK lack, or compute in fewer digits"),
    ("astype|unstack|split|[hvd]split|put_along_axis|linalg.tensorinv", "*", "*", "a list is the array of its numbers"),
    ("poly*|roots", "*", "*", "a number is a polynomial of degree 0, a list of Tensors its coefficients"),
    ("mean|std|var|nanmean|nanstd|nanvar", "0", "*", "an axis of a number is taken as by sum"),
    ("can_cast|finfo|iinfo|promote_types|result_type", "*", "*", "an array stands for its dtype, as in the Array API"),
    ("stats.*", "*", "no_list|no_tuple|empty*", "of nothing, nothing"),
    ("stats.*|special.multigammaln", "*", "*", "parameters that do not exist give NaN, where SciPy sometimes raises"),
    ("ediff1d", "*", "*", "the dtype holds everything, instead of refusing what does not fit x"),
    ("einsum", "optimize", "*", "means nothing here"),
    ("random.dirichlet", "0", "*", "a matrix of concentrations is a batch"),
]


def reason(path, slot, value, differs=False):
    """Why a call may be taken, or may give another value (`differs`); empty if it may not.

    A row for every value excuses what NumPy refuses, and never another value.
    """
    for *patterns, why in EXTENSIONS:
        if differs and patterns[2] == "*":
            continue
        given = (path, str(slot), str(value))
        if all(any(fnmatch.fnmatchcase(g, p) for p in ps.split("|")) for g, ps in zip(given, patterns, strict=True)):
            return why
    return ""
