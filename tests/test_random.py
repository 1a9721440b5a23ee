"""tm.random: reproducible, reparametrised, drawn again in a compiled function."""

import functools
import sys
import threading

import numpy as np
import pytest
import scipy.special
import scipy.stats

import tinygrad_math as tm
from tinygrad_math import random
from tinygrad_math.core.errors import ArgumentError, OutsideDomain, ShapeError
from tinygrad_math.testing import check_grads

SAME_AS_NUMPY = [
    ("random", (), {}),
    ("standard_normal", (), {}),
    ("normal", (1.0, 2.0), {}),
    ("uniform", (-1.0, 3.0), {}),
    ("exponential", (2.0,), {}),
    ("gamma", (1.7, 2.0), {}),
    ("integers", (3, 9), {}),
    ("integers", (5,), {"endpoint": True}),
    ("poisson", (3.0,), {}),
    ("binomial", (9, 0.3), {}),
    ("choice", (6,), {}),
    ("choice", (6,), {"replace": False}),
    ("lognormal", (0.1, 0.3), {}),
]


@pytest.mark.parametrize("name, args, kwargs", SAME_AS_NUMPY)
def test_a_seed_gives_numpys_numbers(name, args, kwargs):
    random.seed(11)
    got = getattr(random, name)(*args, size=4, **kwargs)
    want = getattr(np.random.default_rng(11), name)(*args, size=4, **kwargs)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-15)


CONTINUOUS = {
    "normal": ((1.0, 2.0), scipy.stats.norm(1.0, 2.0)),
    "uniform": ((1.0, 3.0), scipy.stats.uniform(1.0, 2.0)),
    "exponential": ((2.0,), scipy.stats.expon(scale=2.0)),
    "gumbel": ((1.0, 2.0), scipy.stats.gumbel_r(1.0, 2.0)),
    "laplace": ((1.0, 2.0), scipy.stats.laplace(1.0, 2.0)),
    "logistic": ((1.0, 2.0), scipy.stats.logistic(1.0, 2.0)),
    "lognormal": ((0.1, 0.5), scipy.stats.lognorm(0.5, scale=np.exp(0.1))),
    "gamma": ((0.6, 2.0), scipy.stats.gamma(0.6, scale=2.0)),
    "chisquare": ((3.0,), scipy.stats.chi2(3.0)),
    "standard_t": ((4.0,), scipy.stats.t(4.0)),
    "beta": ((0.6, 2.0), scipy.stats.beta(0.6, 2.0)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_follow_their_distribution(name):
    args, law = CONTINUOUS[name]
    draws = getattr(random.default_rng(5), name)(*args, size=4000).numpy()
    assert scipy.stats.kstest(draws, law.cdf).pvalue > 1e-3


def test_dirichlet_and_multivariate_normal_have_their_moments():
    alpha = np.array([1.0, 2.0, 5.0])
    x = random.default_rng(1).dirichlet(alpha, size=4000).numpy()
    np.testing.assert_allclose(x.sum(-1), 1.0)
    np.testing.assert_allclose(x.mean(0), alpha / 8, atol=0.01)
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    z = random.default_rng(1).multivariate_normal([1.0, -1.0], cov, size=20000).numpy()
    np.testing.assert_allclose(z.mean(0), [1.0, -1.0], atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), cov, atol=0.06)


@pytest.mark.parametrize("name", ["normal", "uniform", "gumbel", "laplace", "logistic", "lognormal"])
def test_location_and_scale_are_reparametrised(name):
    def f(a, b):
        return getattr(random.default_rng(3), name)(a, b, size=(2, 3))

    check_grads(f, (np.array([0.1, 0.2, 0.3]), np.array([[1.0], [2.0]])), order=2)


def test_covariance_is_reparametrised():
    def f(m, b):
        return random.default_rng(3).multivariate_normal(m, b @ b.T, size=4)

    check_grads(f, (np.array([0.1, 0.2]), np.array([[1.2, 0.0], [0.4, 0.9]])), order=2)


def test_the_gamma_derivative_moves_the_draw_at_fixed_probability():
    a = np.array([0.05, 0.3, 1.5, 20.0, 900.0])

    def f(a):
        return random.default_rng(3).gamma(a)

    z = f(a).numpy()
    probability = scipy.special.gammainc(a, z)

    def inverse(a):
        return scipy.special.gammaincinv(a, probability)

    h = 1e-4 * a
    first = (8 * (inverse(a + h) - inverse(a - h)) - inverse(a + 2 * h) + inverse(a - 2 * h)) / (12 * h)
    second = (inverse(a + h) - 2 * z + inverse(a - h)) / h**2
    got, got_second = tm.jvp(lambda a: tm.jvp(f, (a,), (np.ones(5),))[1], (a,), (np.ones(5),))
    np.testing.assert_allclose(got.numpy(), first, rtol=1e-6)
    np.testing.assert_allclose(got_second.numpy()[:4], second[:4], rtol=1e-3)
    np.testing.assert_allclose(tm.grad(lambda a: f(a).sum())(a).numpy(), first, rtol=1e-6)


def test_the_mean_gradient_of_gamma_numbers_is_the_gradient_of_their_mean():
    # E z = a and E z^2 = a (a + 1), so the derivatives are 1 and 2 a + 1
    a, n = 1.3, 20000
    rng = random.default_rng(0)
    assert tm.grad(lambda a: rng.gamma(a, size=n).mean())(a).item() == pytest.approx(1.0, abs=0.03)
    assert tm.grad(lambda a: (rng.gamma(a, size=n) ** 2).mean())(a).item() == pytest.approx(2 * a + 1, abs=0.2)


def test_a_gamma_draw_that_underflowed_has_derivative_zero():
    (g,) = tm.vjp(lambda a: tm.core.tensor.rec.gamma_sample(a, np.zeros(1)), np.array([1e-3]))[1](np.ones(1))
    assert g.item() == 0.0


def test_beta_and_dirichlet_and_t_are_differentiable():
    for f in (
        lambda a: random.default_rng(2).beta(a, 2.0, size=3),
        lambda a: random.default_rng(2).dirichlet(tm.stack([a, 2 * a, a * a])),
        lambda a: random.default_rng(2).standard_t(a, size=3),
    ):
        y, t = tm.jvp(f, (1.7,), (1.0,))
        assert np.all(np.isfinite(t.numpy()))
        assert np.any(t.numpy() != 0)
        assert y.shape == (3,)


def test_discrete_draws_are_constants():
    p = tm.tensor([0.2, 0.7], requires_grad=True)
    for y in (random.bernoulli(p), random.binomial(3, p), random.poisson(p)):
        assert not y.requires_grad
    assert random.bernoulli(p).dtype == bool


def test_permutation_and_choice_of_a_tensor_are_differentiable():
    x = np.arange(6.0).reshape(3, 2)
    rng = random.default_rng(4)
    assert sorted(rng.permutation(x, axis=1).numpy()[0]) == [0.0, 1.0]
    check_grads(lambda v: random.default_rng(4).permutation(v), (x,), order=1)
    weights = tm.grad(lambda v: random.default_rng(4).choice(v, size=5, p=[0.2, 0.3, 0.5]).sum())(np.arange(3.0))
    assert weights.numpy().sum() == 5
    with pytest.raises(ShapeError):
        rng.choice(3, size=4, replace=False)


def test_streams_are_independent_and_can_be_continued():
    a, b = random.default_rng(1), random.default_rng(1)
    random.seed(1)
    random.normal(size=100)
    first = a.normal(size=3).numpy()
    np.testing.assert_array_equal(first, b.normal(size=3).numpy())
    kept = a.state
    after = a.uniform(size=2).numpy()
    a.state = kept
    np.testing.assert_array_equal(a.uniform(size=2).numpy(), after)


def test_numpys_global_state_is_not_touched():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    random.seed(3)
    random.normal(size=5)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_threads_may_share_a_generator():
    rng, out = random.default_rng(0), []
    threads = [threading.Thread(target=lambda: out.append(rng.random(size=500).numpy())) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    drawn = np.sort(np.concatenate(out))
    np.testing.assert_array_equal(drawn, np.sort(np.random.default_rng(0).random(4000)))


def test_a_compiled_function_draws_again_and_obeys_the_seed():
    f = tm.compile(lambda x: x + random.normal(size=2) * random.uniform())
    x = np.zeros(2)
    random.seed(8)
    one, two = f(x).numpy(), f(x).numpy()
    assert not np.any(one == two)
    random.seed(8)
    np.testing.assert_array_equal(f(x).numpy(), one)
    random.seed(8)
    eager = random.normal(size=2).numpy() * random.uniform().item()
    np.testing.assert_allclose(one, eager, rtol=1e-15)


def test_sizes_and_dtypes():
    assert random.normal().shape == ()
    assert random.normal(np.zeros(3), np.ones((2, 1))).shape == (2, 3)
    assert random.normal(np.zeros(3), size=(2, 3)).shape == (2, 3)
    assert random.uniform(size=0).shape == (0,)
    for f in (random.normal, random.gumbel, random.uniform, random.laplace):
        assert f(np.float32(0.5), np.ones(2, np.float32)).dtype == np.float32
        assert f(0.5, 1.0, size=2, dtype=np.float32).dtype == np.float32
        assert f(0.5, 1.0, size=2).dtype == np.float64
    assert random.gamma(np.ones(2, np.float32)).dtype == np.float32
    assert random.integers(4, size=2, dtype=np.uint8).dtype == np.uint8
    with pytest.raises(ShapeError, match="size="):
        random.normal(np.zeros(3), size=2)
    with pytest.raises(ArgumentError, match="float32 or float64"):
        random.normal(size=2, dtype=np.int64)
    with pytest.raises(ShapeError):
        random.dirichlet(1.0)
    for draw in (random.permutation, random.choice):
        with pytest.raises(ShapeError, match=rf"random\.{draw.__name__}: .*counts from 0, got -3"):
            draw(-3)
    assert random.permutation(0).shape == (0,)


_OUTSIDE = {  # a function of a parameter that 0.5 suits and -1 does not
    **{
        f"random.{name}": getattr(random, name)
        for name in ("exponential", "gamma", "chisquare", "standard_t", "poisson")
    },
    **{
        f"random.{name}": functools.partial(getattr(random, name), 0.0)
        for name in ("normal", "gumbel", "logistic", "laplace", "lognormal", "uniform")
    },
    "random.beta": lambda s: random.beta(1.0, s),
    "random.binomial": lambda s: random.binomial(3, s),
    "random.bernoulli": random.bernoulli,
    "stats.norm.rvs": lambda s: tm.stats.norm.rvs(0.0, s),
    "stats.gamma.rvs": lambda s: tm.stats.gamma.rvs(s, size=2),
    "stats.poisson.rvs": tm.stats.poisson.rvs,
    "stats.binom.rvs": lambda s: tm.stats.binom.rvs(3, s),
    "stats.norm.interval": lambda s: tm.stats.norm.interval(s)[0],
    "average": lambda s: tm.average([1.0, 2.0], weights=tm.stack([s, tm.ones_like(s)])),
    "cov": lambda s: tm.cov([1.0, 2.0, 3.0], aweights=tm.stack([s, 1 + 0 * s, 1 + 0 * s])),
    "multigammaln": lambda s: tm.special.multigammaln(s + 2, 3),
}
_WAYS = {
    "eager": lambda f: f,
    "compiled": lambda f: tm.compile(f),
    "native": lambda f: tm.compile(f, backend="native"),
    "vmap": lambda f: lambda s: tm.vmap(f)(np.stack([0.5 * s / s, s])),
    "differentiated": lambda f: tm.grad(lambda s: tm.sum(tm.astype(f(s), float))),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_parameter_outside_the_domain_is_refused_however_the_function_runs(way):
    for title, f in _OUTSIDE.items():
        g = _WAYS[way](f)
        g(np.array(0.5))
        state = random.shared.state
        with pytest.raises(OutsideDomain, match=rf"^{title}: "):
            g(np.array(-1.0))
        if way == "eager":
            assert random.shared.state == state, title


def test_what_was_outside_the_domain_is_shown():
    with pytest.raises(OutsideDomain, match=r"random\.normal: scale is not negative.*-2"):
        random.normal(0.0, [1.0, -2.0])
    for p in (1.5, float("nan")):
        with pytest.raises(OutsideDomain, match=rf"random\.bernoulli: p is from 0 to 1, got {p}"):
            random.bernoulli([0.5, p])
    with pytest.raises(OutsideDomain, match=r"random\.poisson: lam is not negative, got nan"):
        random.poisson(float("nan"))
    with pytest.raises(OutsideDomain, match=r"random\.uniform: low <= high, both finite"):
        tm.compile(lambda high: random.uniform(0.0, high))(np.inf)
