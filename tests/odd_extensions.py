"""What we take and NumPy or SciPy refuse, and what we answer otherwise than they, by intent.

(path, argument, value, why), the first three as patterns of names.
"""

import fnmatch

# What we take, and they refuse.
EXTENSIONS = [
    ("*", "*", "2**6[34]|-2**63|10**30|-10**30|huge", "a large int is a float beside floats, not an object"),
    ("*", "*", "axes64", "as many axes as an array can have; SciPy's functions stop at 32"),
    ("*", "*", "true|false|np_bool", "True is the int 1, as in Python"),
    ("*", "*", "np_uint8|array0_int|tensor0_int", "one integer is that int, in which nothing wraps around"),
    ("*", "*", "minus0", "minus zero is zero"),
    ("*", "*", "masked", "a mask without masked elements is the array of its values"),
    ("*", "*", "float16|longdouble|clongdouble", "dtypes that SciPy and LAPACK lack, or compute in fewer digits"),
    ("special.*|stats.*|gradient", "*", "bools", "True is the int 1, as in Python"),
    ("astype|unstack|split|[hvd]split|put_along_axis|linalg.tensorinv", "*", "*", "a list is the array of its numbers"),
    ("poly|poly[admsvi]*|roots", "*", "*", "a number is a polynomial of degree 0, a list of Tensors its coefficients"),
    ("mean|std|var|nanmean|nanstd|nanvar", "0", "*", "an axis of a number is taken as by sum"),
    ("std|var|nanstd|nanvar", "ddof", "none", "None is the default"),
    ("can_cast|finfo|iinfo|promote_types|result_type", "*", "*", "an array stands for its dtype, as in the Array API"),
    ("stats.*|special.*softmax", "*", "no_list|no_tuple|empty*", "of nothing, nothing"),
    (
        "stats.*.entropy",
        "*",
        "negatives|vector|huge_shape|nan|*inf",
        "of parameters that do not exist, NaN as everywhere",
    ),
    ("stats.dirichlet.*", "*", "*", "concentrations that do not exist give NaN, as other distributions' parameters"),
    ("special.multigammaln", "*", "*", "outside the domain it is NaN, as gammaln"),
    ("stats.multivariate_normal.*", "0|1", "*", "a mean of one number is that of every coordinate"),
    ("*stack|lexsort", "0", "generator|iterator|polynomial", "an iterator's arrays are taken in turn"),
    ("concat*", "0", "np_matrix", "the rows of a matrix are matrices"),
    ("clip|diff|random.integers", "a_m*|prepend|append|dtype", "none", "None is the default"),
    ("interp", "left|right", "complex|complexes", "beside a complex number the result is complex"),
    ("fft.*", "axes", "empty*", "no axes, as an empty tuple"),
    ("histogram", "range|density", "deep", "a flag or a range that is not looked at; NumPy runs out of stack"),
    ("histogram", "weights", "bools", "True is the int 1, as in Python"),
    ("special.logsumexp|linalg.logm", "0", "empty*", "of nothing, nothing"),
    ("array_split|[hvd]split", "1", "liar", "an iterable of no positions"),
    ("bincount", "weights", "complexes", "complex weights add up as others"),
    ("expand_dims", "axis", "tensor_int", "a Tensor of ints is a tuple of ints"),
    ("isdtype", "0", "class", "a type of Python's stands for its dtype"),
    ("linalg.cond", "p", "tensor0|array0", "one number is that number"),
    ("linalg.eigh|linalg.eigvalsh", "UPLO", "none", "None reads both triangles"),
    ("linalg.lstsq", "rcond", "fraction", "a fraction is a real number"),
    ("linalg.tensorsolve", "axes", "negatives", "axes count from the end, too"),
    ("random.binomial", "0", "tensor0", "a whole number, in whatever dtype"),
    ("stats.binom.rvs|special.eval_hermite*", "0", "*", "a whole number, in whatever dtype; NaN of what is none"),
    ("special.pbvv", "0", "uint64|huge_shape", "where the values for all orders below do not fit in memory"),
    ("tensordot", "axes", "np_uint8", "one integer is that int"),
    ("choose", "1", "many|many_ones", "there is no largest number of choices"),
    ("ediff1d", "*", "*", "the dtype holds everything, instead of refusing what does not fit x"),
    ("einsum", "optimize", "*", "means nothing here"),
    ("stats.*.rvs", "random_state", "*", "seeds and generators are those of tm.random"),
    ("random.dirichlet", "0", "*", "a matrix of concentrations is a batch"),
    ("special.exp10|special.nrdtri*|special.gdtri[ax]", "*", "complex|complexes", "analytic there"),
    ("special.gdtr*|special.nrdtri*", "*", "fraction", "a fraction is a real number"),
]

# What both take, and we answer otherwise.
ANSWERS = [
    ("*", "*", "float16", "computed in a wider dtype, in which nothing overflows on the way"),
    (
        "stats.*",
        "*",
        "int8|uint64|np_uint8|huge_shape|-2**63|2**6[34]|10**30|huge",
        "SciPy's integers wrap around, its sums overflow",
    ),
    (
        "stats.bernoulli.logcdf|stats.binom.logcdf",
        "1",
        "*",
        "parameters that do not exist give NaN also where SciPy looks at k alone",
    ),
    ("stats.poisson.*|stats.binom.*|stats.gamma.*|stats.chi2.*", "[012]", "inf", "the limit, and no NaN"),
    ("special.*softmax", "0", "int8|uint64", "SciPy subtracts integers, which wrap around"),
    ("special.logsumexp", "b", "zero|zeros|false|minus0", "the logarithm of 0 is -inf"),
    ("special.stdtridf", "*", "*", "where no number of degrees solves, NaN; SciPy returns where its search ended"),
    ("special.*bdtr*|special.pdtr*", "*", "huge*|uint64|inf|-2**63", "SciPy's counts and trials end at 32 bits"),
    (
        "special.nrdtri*",
        "*",
        "inf|huge*|vector|uint64",
        "the formula at large numbers, where SciPy's search ends before",
    ),
    ("special.gdtrix", "0", "inf", "the limit, and no NaN"),
    ("special.yn", "0", "huge|-2**63", "SciPy's orders wrap around at 32 bits"),
    (
        "special.stdtrit",
        "1",
        "bools|false|zero*|floats|range|minus0|matrix|uint64|big_endian_int|tensor_int",
        "of a probability of 0 it is -inf, and SciPy's inf",
    ),
    ("special.lambertw", "tol", "*", "means nothing here: the steps go on to the last digit"),
    (
        "special.hankel[12]",
        "1",
        "negatives|minus[15]|int8|2**63|uint64",
        "of real x > 0; and to the end of the doubles",
    ),
    (
        "special.yve",
        "1",
        "range|zeros|axes|floats|many|false|zero|minus0|matrix|bools|uint64|big_endian_int|tensor_int|2**63",
        "Y_v(0) is -inf, where SciPy's is NaN; and at large numbers",
    ),
    ("special.yve", "0", "huge*", "-inf of a large order, where SciPy's is inf"),
    ("special.[ij]ve|special.jn", "0", "huge|*2**6[34]|*10**30|*inf|uint64", "0 of a large order, and no NaN"),
    ("special.jve", "1", "2**63|-2**63|uint64", "at large numbers, where SciPy's is NaN"),
    ("special.hyperu", "[01]", "99|huge|2**6[34]|10**30", "0 or inf of large parameters, where SciPy's are lost"),
    (
        "special.polygamma|special.expn",
        "0",
        "huge|*2**6[34]|10**30|inf|uint64",
        "the limit at a large order, which wraps around in SciPy",
    ),
    ("special.kelvin|special.ke*", "0", "inf", "ker and kei vanish"),
    ("special.kelvin", "0", "false|bools", "in double precision"),
    ("special.itstruve0|special.itairy", "0", "*", "SciPy's integrals have 7 digits, and fewer far out"),
    ("special.it2struve0", "0", "*inf", "the limit, and no NaN"),
    ("special.iti0k0|special.itmodstruve0", "0", "int8", "in double precision"),
    ("special.pbvv", "1", "huge*|2**6[34]|10**30|uint64", "it grows beyond the doubles, where SciPy's is NaN"),
    ("special.nrdtrimn|special.spherical_[ij]n", "1", "2**63|-2**63", "at large numbers, where SciPy's have no digits"),
    ("special.kelvin", "0", "huge*", "i times an infinite part is NaN"),
    ("special.kelvin|special.be*", "0", "2**63|-2**63|uint64", "beyond 1e16 no sign of inf is known, and it is NaN"),
    ("special.eval_jacobi", "0", "minus5|-2**63", "of negative degrees 0, as other polynomials"),
    ("stats.lognorm.*", "0", "true|np_bool|bools|many", "SciPy's flags are half precision, and its variance overflows"),
    ("fft.id[cs]tn", "0", "axes64", "SciPy's factor of 64 axes overflows"),
    ("stats.multivariate_normal.rvs|stats.dirichlet.rvs", "*", "*", "one axis more than size, where SciPy drops some"),
    ("stats.multivariate_normal.cdf", "lower_limit", "nan", "NaN as everywhere"),
    ("stats.*.moment", "*", "true|np_bool|bools", "SciPy's powers of flags are flags"),
    ("choose", "1", "object_numbers", "numbers, and no objects"),
    ("histogram", "weights", "uint64", "sums of weights are floating"),
    ("partition", "0", "*", "in any order within its parts"),
    ("piecewise", "0", "int8", "the dtype holds every piece"),
    ("std|var|nanstd|nanvar", "ddof|correction", "-2**63", "NumPy's n - ddof wraps around"),
    ("linalg.norm|linalg.vector_norm", "ord", "2**6*|-2**63|10**30|-10**30|huge|99", "the powers do not overflow"),
    ("interp", "period", "-2**63", "NumPy's abs() of the smallest integer is negative"),
    ("*stack|concat*|lexsort", "0", "np_matrix", "the rows of a matrix are matrices"),
    ("poly", "0", "no_list|no_tuple|empty", "one coefficient is an array of one"),
    ("trapezoid", "*", "int8|uint64|bools", "NumPy subtracts integers, which wrap around"),
    ("polymul|polydiv", "*", "*", "leading zeros stay: how long a result is does not depend on its values"),
    ("cov|corrcoef", "0", "empty*", "no variables, and y beside them, are the variables of y"),
    ("unique_values", "*", "*", "in ascending order, where NumPy gives any"),
    ("stats.multivariate_normal.*", "0", "axes64", "points are along the last axis, whatever the others"),
    (
        "linalg.lstsq",
        "rcond",
        "one|one_half|two|99|true|huge|inf|2**6*|10**30|np_*|array0*|tensor0*",
        "LAPACK reads a cutoff of 1 and more as that of rounding; here it cuts",
    ),
]


def reason(path, slot, value, differs=False):
    """Why a call may be taken, or may give another value (`differs`); empty if it may not."""
    given = (path, str(slot), str(value))
    for *patterns, why in ANSWERS if differs else EXTENSIONS:
        if all(any(fnmatch.fnmatchcase(g, p) for p in ps.split("|")) for g, ps in zip(given, patterns, strict=True)):
            return why
    return ""
