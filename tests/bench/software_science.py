"""Tables of calls for other_software.py: a package, what it imports, and expressions of it, a call each.

In an expression `x` is an array of shape (6, 4) with elements between 0.2 and 0.9, `u` and `w` are its first two rows,
`p` and `q` its first two columns, `s` is a positive definite matrix made of it, `c` its first element; `X`, `V`, `N`
and `L` are arrays that stay arrays: values, four of them, 0 to 5, and labels.
"""

SPECIAL_ONE = """
agm0 bei beip ber berp cbrt cosdg cosm1 cotdg dawsn ellipe ellipk ellipkm1 entr erf erfc erfcinv erfcx erfi erfinv
exp1 exp10 exp2 expi expit expm1 exprel gamma gammaln digamma i0 i0e i1 i1e it2struve0 itmodstruve0 itstruve0 j0 j1 k0
k0e k1 k1e kei keip kelvin ker kerp kolmogi kolmogorov log1p log_expit log_ndtr loggamma logit modstruve ndtr ndtri
ndtri_exp poch0 psi radian0 rgamma sinc sindg spence tandg wofz xlogx0 y0 y1 zetac zeta0 diric0 factorial softplus
"""

SPECIAL_MORE = """
bdtr(2, 5, x) | bdtrc(2, 5, x) | bdtri(2, 5, x) | beta(2.0, x) | beta(x, x) | betainc(2.0, 3.0, x) | betaincc(2.0,
3.0, x) | betaincinv(2.0, 3.0, x) | betaln(x, 2.0) | binom(5.0, x) | boxcox(x, 0.5) | boxcox1p(x, 0.5) | inv_boxcox(x,
0.5) | inv_boxcox1p(x, 0.5) | chdtr(3.0, x) | chdtrc(3.0, x) | chdtri(3.0, x) | ellipeinc(x, 0.5) | ellipkinc(x, 0.5)
| elliprc(x, 1.0) | elliprd(x, 1.0, 2.0) | elliprf(x, 1.0, 2.0) | elliprg(x, 1.0, 2.0) | elliprj(x, 1.0, 2.0, 3.0) |
eval_chebyt(3, x) | eval_chebyu(3, x) | eval_gegenbauer(3, 0.5, x) | eval_genlaguerre(3, 0.5, x) | eval_hermite(3, x)
| eval_hermitenorm(3, x) | eval_jacobi(3, 0.5, 0.5, x) | eval_laguerre(3, x) | eval_legendre(3, x) | expn(2, x) |
fdtr(2.0, 3.0, x) | fdtrc(2.0, 3.0, x) | fdtri(2.0, 3.0, x) | gammainc(2.0, x) | gammaincc(2.0, x) | gammaincinv(2.0,
x) | gammainccinv(2.0, x) | gdtr(1.0, 2.0, x) | gdtrc(1.0, 2.0, x) | gdtrix(1.0, 2.0, x) | hankel1(1, x) | huber(0.5,
x) | hyp0f1(1.5, x) | hyp1f1(1.0, 2.0, x) | hyp2f1(1.0, 2.0, 3.0, x) | hyperu(1.0, 2.0, x) | iv(1.5, x) | ive(1.5, x)
| jv(1.5, x) | jve(1.5, x) | kl_div(x, 0.5) | kn(2, x) | kv(1.5, x) | kve(1.5, x) | log_softmax(x, axis=0) |
logsumexp(x, axis=0) | logsumexp(x) | lpmv(0, 2, x) | multigammaln(x + 3, 2) | nbdtr(2, 5, x) | nbdtrc(2, 5, x) |
nctdtr(3.0, 0.5, x) | nrdtrimn(0.5, 1.0, x) | owens_t(x, 0.5) | pdtr(2.0, x) | pdtrc(2.0, x) | pdtri(2, x) | poch(x,
2.0) | polygamma(1, x) | powm1(x, 0.5) | pseudo_huber(0.5, x) | rel_entr(x, 0.5) | smirnov(3, x) | softmax(x, axis=1)
| sph_harm_y(1, 1, x, x) | spherical_jn(1, x) | spherical_yn(1, x) | stdtr(3.0, x) | stdtrit(3.0, x) | struve(1.5, x)
| tklmbda(x, 0.5) | voigt_profile(x, 0.5, 0.5) | wrightomega(x) | xlog1py(x, x) | xlogy(x, x) | yn(2, x) | yv(1.5, x)
| zeta(2.0, x + 1) | lambertw(x) | airy(x) | ellipj(x, 0.5) | fresnel(x) | shichi(x) | sici(x) | itairy(x) |
it2i0k0(x) | it2j0y0(x) | iti0k0(x) | itj0y0(x) | perm(5.0, x) | comb(5.0, x) | logsumexp(x, b=2.0) |
assoc_legendre_p(2, 1, u) | legendre_p(2, u) | round(x) | sinc(x) | bernoulli(3) | agm(x, 1.0)
"""

DISTRIBUTIONS = """
alpha(3.0) anglit arcsine beta(2.0,3.0) betaprime(2.0,3.0) bradford(0.5) burr(2.0,3.0) cauchy chi(3.0) chi2(3.0)
cosine dgamma(2.0) dweibull(2.0) erlang(2) expon exponnorm(1.5) exponpow(2.0) exponweib(2.0,1.5) f(2.0,3.0)
fatiguelife(2.0) fisk(3.0) foldnorm(1.5) gamma(2.0) genexpon(2.0,3.0,1.0) genextreme(0.1) gengamma(2.0,1.5)
genlogistic(0.5) gennorm(1.5) genpareto(0.1) gompertz(1.0) gumbel_l gumbel_r halfcauchy halflogistic halfnorm
hypsecant invgamma(3.0) invgauss(1.0) invweibull(3.0) johnsonsb(1.0,2.0) johnsonsu(1.0,2.0) kappa3(1.0) laplace
laplace_asymmetric(2.0) levy loggamma(1.0) logistic loglaplace(3.0) lognorm(1.0) lomax(2.0) maxwell mielke(2.0,3.0)
moyal nakagami(2.0) norm pareto(0.1) pearson3(0.5) powerlaw(2.0) powerlognorm(2.0,0.5) powernorm(2.0) rayleigh
rdist(2.0) recipinvgauss(0.6) reciprocal(0.1,1.0) rice(0.8) semicircular skewnorm(2.0) t(3.0) trapezoid(0.2,0.8)
triang(0.2) truncexpon(4.0) truncnorm(-1.0,2.0) tukeylambda(3.0) uniform vonmises(2.0) wald weibull_max(2.0)
weibull_min(2.0) wrapcauchy(0.3)
"""

CALLS = {
    "scipy.linalg": (
        """
import scipy.linalg as la
""",
        """
la.bandwidth(s) | la.block_diag(s, s) | la.cho_factor(s)[0] | la.cho_solve(la.cho_factor(s), V) |
la.cho_solve(la.cho_factor(S), u) | la.cholesky(s) | la.cholesky(s, lower=True) | la.circulant(u) | la.companion(u) |
la.convolution_matrix(u, 3) | la.coshm(s * .1) | la.cosm(s) | la.det(s) | la.eig(s)[0] | la.eigh(s)[0] | la.eigh(s,
S)[0] | la.eigvals(s) | la.eigvalsh(s) | la.eigvalsh_tridiagonal(u, w[:3]) | la.expm(s) | la.expm_frechet(s, S) |
la.fiedler(u) | la.fractional_matrix_power(s, 0.5) | la.hadamard(4) | la.hankel(u) | la.hessenberg(s) | la.inv(s) |
la.khatri_rao(s, s) | la.lstsq(s, V)[0] | la.lstsq(x, N)[0] | la.lu(s) | la.lu_factor(s)[0] |
la.lu_solve(la.lu_factor(s), V) | la.logm(s) | la.ldl(s) | la.matmul_toeplitz(u, w) | la.norm(x) | la.norm(x, 1) |
la.norm(x, 'nuc') | la.norm(x, axis=1) | la.null_space(x[:3]) | la.orth(x) | la.orthogonal_procrustes(x, X)[0] |
la.pinv(x) | la.pinvh(s) | la.polar(s) | la.qr(x, mode='economic') | la.qr(s, pivoting=True)[1] | la.qr_multiply(s,
V)[0] | la.rq(s) | la.schur(s) | la.signm(s) | la.sinhm(s * .1) | la.sinm(s) | la.solve(s, V) | la.solve(S, u) |
la.solve(s, V, assume_a='pos') | la.solve_banded((1, 1), x[:3], V) | la.solve_circulant(u + N[:4], V) |
la.solve_continuous_lyapunov(s, S) | la.solve_discrete_lyapunov(s * .1, S) | la.solve_sylvester(s, S, S) |
la.solve_toeplitz(u + N[:4] * 0 + np.array([2, 0, 0, 0]), V) | la.solve_triangular(s, V) | la.solveh_banded(x[:2] +
np.array([[0], [3]]), V) | la.sqrtm(s) | la.subspace_angles(x[:, :2], X[:, 2:]) | la.svd(x, full_matrices=False)[1] |
la.svdvals(x) | la.tanhm(s * .1) | la.tanm(s * .1) | la.toeplitz(u) | la.toeplitz(u, w) | la.tri0 | la.vander0 |
la.issymmetric(s) | la.ishermitian(s) | la.null_space(x) | la.dft(3) | la.leslie(u, w[:3]) | la.helmert(3) |
la.funm(s, np.exp) | la.diagsvd(u, 4, 4) | la.eig_banded(x[:2] + np.array([[3], [0]]))[0] | la.cdf2rdf(*la.eig(s))
""",
    ),
    "scipy.fft": (
        """
import scipy.fft as f
""",
        """
f.fft(x) | f.ifft(x) | f.rfft(x) | f.irfft(x) | f.hfft(x) | f.ihfft(x) | f.fft2(x) | f.ifft2(x) | f.rfft2(x) |
f.fftn(x) | f.ifftn(x) | f.rfftn(x) | f.fftshift(x) | f.ifftshift(x) | f.dct(x) | f.idct(x) | f.dst(x) | f.idst(x) |
f.dctn(x) | f.dstn(x) | f.fft(x, n=8) | f.fft(x, norm='ortho') | f.fft(x, axis=0) | f.fht(u, 0.1, 0.5) | f.ifht(u,
0.1, 0.5) | f.irfft2(x) | f.dct(x, type=1) | f.idctn(x) | f.irfftn(x) | f.hfft2(x)
""",
    ),
    "scipy.signal": (
        """
import scipy.signal as g
""",
        """
g.convolve(u, w) | g.convolve(u, V) | g.fftconvolve(u, w) | g.oaconvolve(u, w) | g.correlate(u, w) | g.correlate2d(x,
x[:2, :2]) | g.convolve2d(x, x[:2, :2]) | g.detrend(x) | g.detrend(x, type='constant') | g.lfilter([1.0, 0.5], [1.0,
-0.3], x) | g.lfilter(u, [1.0], V) | g.filtfilt([.5, .5], [1.0], x, padlen=1) | g.sosfilt(g.butter(2, .3,
output='sos'), x) | g.savgol_filter(x, 3, 1) | g.hilbert(x) | g.envelope(u) | g.medfilt(u) | g.wiener(x) |
g.order_filter(u, np.ones(3), 1) | g.resample(x, 8) | g.resample_poly(x, 2, 1) | g.decimate(np.tile(u, 10), 2) |
g.upfirdn([1., .5], u) | g.periodogram(u) | g.welch(u, nperseg=4) | g.csd(u, w, nperseg=4) | g.coherence(np.tile(u,
4), np.tile(w, 4), nperseg=4) | g.spectrogram(np.tile(u, 4), nperseg=4)[2] | g.stft(np.tile(u, 4), nperseg=4)[2] |
g.freqz(u, 1, 8)[1] | g.find_peaks(u)[0] | g.argrelmax(u)[0] | g.peak_prominences(u, [1])[0] | g.czt(x) |
g.zoom_fft(x, .5) | g.sosfreqz(g.butter(2, .3, output='sos'), 8)[1] | g.tf2zpk(u, w) | g.zpk2tf(u, w, 1.0) |
g.residue(u, w[:2])[0] | g.lombscargle(N[:4], u, [1.0, 2.0]) | g.deconvolve(np.tile(u, 2), w)[0] | g.cspline1d(u) |
g.qspline1d(u) | g.spline_filter(x) | g.gauss_spline(u, 3) | g.sawtooth(u) | g.square(u) | g.gausspulse(u) |
g.chirp(u, 1.0, 1.0, 2.0) | g.sweep_poly(u, [1., 2.]) | g.unit_impulse(4) | g.lsim(([1.0], [1.0, 1.0]), u, N[:4])[1] |
g.bilinear(u, w) | g.normalize(u, w) | g.hilbert2(x) | g.sepfir2d(x, [.2, .5, .2], [.2, .5, .2]) | g.vectorstrength(u,
1.0)
""",
    ),
    "scipy.ndimage": (
        """
import scipy.ndimage as n
""",
        """
n.gaussian_filter(x, 1.0) | n.gaussian_filter1d(x, 1.0) | n.uniform_filter(x, 3) | n.median_filter(x, 3) |
n.maximum_filter(x, 3) | n.minimum_filter(x, 3) | n.sobel(x) | n.prewitt(x) | n.laplace(x) | n.gaussian_laplace(x,
1.0) | n.gaussian_gradient_magnitude(x, 1.0) | n.convolve(x, np.ones((2, 2))) | n.convolve(X, x[:2, :2]) |
n.correlate(x, np.ones((2, 2))) | n.convolve1d(x, [1., .5]) | n.shift(x, .5) | n.zoom(x, 2) | n.rotate(x, 30.) |
n.map_coordinates(x, [[.5], [.5]]) | n.map_coordinates(X, x[:2]) | n.affine_transform(x, np.eye(2)) |
n.spline_filter(x) | n.grey_dilation(x, 3) | n.grey_erosion(x, 3) | n.grey_opening(x, 3) | n.label(x > .5)[0] |
n.sum(x, L46, 1) | n.mean(x, L46, 1) | n.variance(x, L46, 1) | n.maximum(x, L46, 1) | n.center_of_mass(x) |
n.histogram(x, 0, 1, 3) | n.fourier_gaussian(x, 1.0) | n.distance_transform_edt(x > .5) | n.percentile_filter(x, 50,
3) | n.rank_filter(x, 1, 3) | n.binary_dilation(x > .5) | n.morphological_gradient(x, 3) | n.generic_filter(x, np.sum,
3) | n.black_tophat(x, 3) | n.extrema(x) | n.standard_deviation(x) | n.value_indices(L46)
""",
    ),
    "scipy.interpolate": (
        """
import scipy.interpolate as i
""",
        """
i.CubicSpline(N, x)(1.5) | i.CubicSpline(N, X)(u) | i.PchipInterpolator(N, x)(1.5) | i.Akima1DInterpolator(N, p)(1.5)
| i.interp1d(N, p)(1.5) | i.interp1d(N, X[:, 0])(u) | i.BarycentricInterpolator(N, p)(1.5) | i.KroghInterpolator(N,
p)(1.5) | i.barycentric_interpolate(N, p, 1.5) | i.krogh_interpolate(N, p, 1.5) | i.pchip_interpolate(N, p, 1.5) |
i.make_interp_spline(N, x)(1.5) | i.make_lsq_spline(N, p, [0, 0, 0, 0, 5, 5, 5, 5])(1.5) | i.BSpline([0, 0, 0, 0, 1,
1, 1, 1], u, 3)(.5) | i.BSpline([0, 0, 0, 0, 1, 1, 1, 1], V, 3)(u) | i.RegularGridInterpolator((N, N[:4]), x)([[1.5,
1.5]]) | i.RegularGridInterpolator((N, N[:4]), X)(x[:, :2]) | i.RBFInterpolator(X[:, :2], p)(X[:2, :2]) |
i.griddata(X[:, :2], p, [[.5, .5]]) | i.UnivariateSpline(N, p)(1.5) | i.PPoly(x[:4, :1], [0., 1.])(.5) |
i.lagrange(N[:3], p[:3])(1.5) | i.splrep(N, p)[1] | i.LinearNDInterpolator(X[:, :2], p)([.5, .5]) |
i.NearestNDInterpolator(X[:, :2], p)([.5, .5]) | i.interpn((N, N[:4]), x, [[1.5, 1.5]]) | i.AAA(N, p)(1.5) |
i.make_smoothing_spline(N, p)(1.5) | i.BPoly(x[:, :1], [0., 1.])(.5) | i.CubicHermiteSpline(N, p, q)(1.5) |
i.approximate_taylor_polynomial(np.sin, c, 2, .1).coeffs | i.NdPPoly(x[:, :, None, None], ([0., 1.], [0., 1.]))((.5,
.5)) | i.Rbf(N, p)(1.5)
""",
    ),
    "scipy.integrate": (
        """
import scipy.integrate as i
""",
        """
i.simpson(x) | i.simpson(x, dx=.5) | i.simpson(p, x=N) | i.trapezoid(x) | i.trapezoid(p, x=N) | i.trapezoid(p, x=q) |
i.cumulative_trapezoid(x) | i.cumulative_simpson(x) | i.romb(np.tile(u, 2)[:5]) | i.quad(lambda t: t * c, 0, 1)[0] |
i.quad(lambda t: t, 0, c)[0] | i.dblquad(lambda t, r: t * r * c, 0, 1, 0, 1)[0] | i.fixed_quad(lambda t: c * t, 0,
1)[0] | i.quad_vec(lambda t: t * u, 0, 1)[0] | i.solve_ivp(lambda t, y: -y, (0, 1), u).y[:, -1] | i.solve_ivp(lambda
t, y: -c * y, (0, 1), V).y[:, -1] | i.odeint(lambda y, t: -y, u, [0, 1.])[-1] | i.odeint(lambda y, t: -c * y, V, [0,
1.])[-1] | i.tanhsinh(lambda t: t * c, 0, 1).integral | i.nsum(lambda t: c / t**2, 1, 10).sum | i.cubature(lambda t:
t[:, 0] * c, [0.], [1.]).estimate | i.newton_cotes(3)[0] | i.solve_bvp(lambda t, y: np.vstack([y[1], -y[0]]), lambda
a, b: np.array([a[0], b[0] - 1]), N, np.zeros((2, 6))).p is None
""",
    ),
    "scipy.spatial": (
        """
from scipy.spatial import distance as d, transform as t
import scipy.spatial as sp
""",
        """
d.euclidean(u, w) | d.sqeuclidean(u, w) | d.cityblock(u, w) | d.chebyshev(u, w) | d.cosine(u, w) | d.correlation(u, w)
| d.minkowski(u, w, 3) | d.braycurtis(u, w) | d.canberra(u, w) | d.jensenshannon(u, w) | d.mahalanobis(u, w, S) |
d.seuclidean(u, w, V) | d.cdist(x, X) | d.cdist(x, X, 'cityblock') | d.cdist(x, X, 'cosine') | d.pdist(x) | d.pdist(x,
'cosine') | d.squareform(d.pdist(x)) | d.hamming(u > .5, w > .5) | d.jaccard(u > .5, w > .5) | d.directed_hausdorff(x,
X)[0] | t.Rotation.from_rotvec(u[:3]).as_matrix() | t.Rotation.from_quat(u).as_matrix() | t.Rotation.from_euler('xyz',
u[:3]).as_quat() | t.Rotation.from_quat(V).apply(u[:3]) | t.Rotation.from_mrp(u[:3]).as_rotvec() |
t.Rotation.from_matrix(s[:3, :3]).as_quat() | sp.KDTree(x).query(X[:2])[0] | sp.cKDTree(X).query(x[:2])[0] |
sp.ConvexHull(x[:, :2]).volume | sp.Delaunay(x[:, :2]).simplices | sp.Voronoi(x[:, :2]).vertices |
sp.distance_matrix(x, X) | sp.minkowski_distance(x, X) | sp.procrustes(x, X + .1 * X**2)[2] | sp.geometric_slerp([1.,
0], [0, 1.], u) | t.Rotation.from_rotvec(x[:, :3]).mean().as_quat() | sp.SphericalVoronoi
""",
    ),
    "scipy.stats": (
        """
import scipy.stats as st
""",
        """
st.describe(x)[2] | st.skew(x) | st.kurtosis(x) | st.zscore(x) | st.zmap(x, X) | st.gmean(x) | st.hmean(x) |
st.pmean(x, 2) | st.moment(x, 3) | st.variation(x) | st.sem(x) | st.iqr(x) | st.tmean(x) | st.tvar(x) | st.tstd(x) |
st.tsem(x) | st.tmin(x) | st.tmax(x) | st.entropy(x) | st.entropy(u, w) | st.gstd(x) | st.trim_mean(x, .1) |
st.trimboth(x, .2) | st.median_abs_deviation(x) | st.expectile(u) | st.differential_entropy(x) | st.mode(x)[0] |
st.rankdata(x) | st.percentileofscore(u, .5) | st.scoreatpercentile(u, 50) | st.cumfreq(u)[0] | st.relfreq(u)[0] |
st.pearsonr(p, q)[0] | st.spearmanr(p, q)[0] | st.kendalltau(p, q)[0] | st.weightedtau(p, q)[0] | st.pointbiserialr(L,
p)[0] | st.linregress(p, q)[0] | st.linregress(N, q)[0] | st.theilslopes(p, q)[0] | st.siegelslopes(p, q)[0] |
st.somersd(p, q).statistic | st.ttest_1samp(x, .5)[0] | st.ttest_ind(p, q)[0] | st.ttest_rel(p, q)[0] |
st.ttest_ind(p, q)[1] | st.f_oneway(p, q)[0] | st.f_oneway(p, q)[1] | st.levene(p, q)[0] | st.bartlett(p, q)[0] |
st.fligner(p, q)[0] | st.mannwhitneyu(p, q)[0] | st.wilcoxon(p, q)[0] | st.kruskal(p, q)[0] | st.friedmanchisquare(p,
q, x[:, 2])[0] | st.ks_2samp(p, q)[0] | st.kstest(p, 'norm')[0] | st.cramervonmises(p, 'norm').statistic |
st.cramervonmises_2samp(p, q).statistic | st.anderson_ksamp0 | st.shapiro(p)[0] | st.normaltest(np.tile(p, 4))[0] |
st.skewtest(np.tile(p, 4))[0] | st.kurtosistest(np.tile(p, 4))[0] | st.jarque_bera(x)[0] | st.chisquare(u, u.mean() +
0 * u)[0] | st.power_divergence(u, u.mean() + 0 * u)[0] | st.chi2_contingency(x)[0] | st.ansari(p, q)[0] | st.mood(p,
q)[0] | st.brunnermunzel(p, q)[0] | st.epps_singleton_2samp(p, q)[0] | st.alexandergovern(p, q).statistic |
st.wasserstein_distance(p, q) | st.energy_distance(p, q) | st.boxcox(p)[0] | st.boxcox(p, .5) | st.boxcox_llf(.5, p) |
st.yeojohnson(p, .5) | st.yeojohnson_llf(.5, p) | st.circmean(x) | st.circvar(x) | st.circstd(x) |
st.binned_statistic(N, p, bins=3)[0] | st.binned_statistic_2d(N, N, p, bins=2)[0] | st.gaussian_kde(x[:, 0])(.5) |
st.gaussian_kde(X[:, 0])(u) | st.norm.fit(p) | st.expon.fit(p) | st.norm.logpdf(x).sum() | st.norm(u, 1.0).logpdf(.5)
| st.multivariate_normal.logpdf(u, V, S) | st.multivariate_normal(V, s).logpdf(V) | st.dirichlet.logpdf(u / u.sum(),
V) | st.multivariate_t.logpdf(u, V, S) | st.matrix_normal.logpdf(s, S, S) | st.wishart.logpdf(s, 5, S) |
st.combine_pvalues(u)[0] | st.false_discovery_control(u) | st.sigmaclip(x)[0] | st.winsorize0 | st.quantile_test(p,
q=.5).statistic | st.ecdf(p).cdf.probabilities | st.logrank(p, q).statistic | st.bws_test(p, q).statistic |
st.permutation_test((p, q), lambda a, b: a.mean() - b.mean(), n_resamples=9).statistic | st.bootstrap((p,), np.mean,
n_resamples=9, rng=0).confidence_interval | st.monte_carlo_test(p, st.norm.rvs, np.mean, n_resamples=9).statistic |
st.obrientransform(p, q) | st.lmoment(x) | st.chatterjeexi(p, q).statistic | st.quantile(x, .5) |
st.Normal(mu=c).pdf(.3) | st.Normal().logcdf(x) | st.ppcc_max(p) | st.probplot(p)[0] | st.poisson_means_test(5, 10.0,
3, 10.0).statistic | st.random_correlation0
""",
    ),
    "scipy.sparse": (
        """
import scipy.sparse as sp, scipy.sparse.linalg as sl
A = sp.csr_array(S)
B = sp.csc_array(S)
""",
        """
A @ u | u @ A | A @ s | s @ A | A.dot(u) | A * 2.0 @ u | A.multiply(s).toarray() | sp.csr_array(s).toarray() |
sp.csr_array(x).sum() | sp.coo_array(x).toarray() | sp.diags_array(u).toarray() | sp.kron(A, s).toarray() |
sp.block_array([[A, sp.csr_array(s)]]).toarray() | sp.vstack([A, sp.csr_array(s)]).toarray() | sl.spsolve(B, u) |
sl.cg(A, u)[0] | sl.gmres(A, u)[0] | sl.minres(A, u)[0] | sl.bicgstab(A, u)[0] | sl.lsqr(A, u)[0] | sl.lsmr(A, u)[0] |
sl.splu(B).solve(u) | sl.expm_multiply(A, u) | sl.norm(sp.csr_array(s)) | sl.eigsh(s, k=1)[0] | sl.svds(x, k=1)[1] |
sl.aslinearoperator(s).matvec(V) | sl.aslinearoperator(S).matvec(u) | sl.LinearOperator((4, 4), matvec=lambda v: s @
v).matvec(V) | sl.cg(s, V)[0] | sl.lobpcg(s, S[:, :1])[0] | sl.onenormest(s) |
sl.spsolve_triangular(sp.tril(A).tocsr(), u) | sp.csgraph.shortest_path(s) |
sp.csgraph.minimum_spanning_tree(s).toarray() | sp.csgraph.laplacian(s) | sp.csgraph.connected_components(s)[1] |
sp.dok_array(x).toarray() | A + sp.csr_array(s) @ A | (A @ sp.csr_array(s)).toarray()
""",
    ),
    "scipy.cluster": (
        """
import scipy.cluster.hierarchy as h, scipy.cluster.vq as vq
""",
        """
h.linkage(x) | h.linkage(x, 'ward') | h.fcluster(h.linkage(x), .5) | h.dendrogram(h.linkage(x), no_plot=True)['ivl'] |
h.cophenet(h.linkage(x)) | vq.whiten(x) | vq.vq(x, X[:2])[0] | vq.vq(x, X[:2])[1] | vq.kmeans(x, X[:2])[0] |
vq.kmeans2(x, X[:2], minit='matrix')[0] | h.leaves_list(h.linkage(x)) | h.inconsistent(h.linkage(x)) |
h.cut_tree(h.linkage(x), 2)
""",
    ),
    "pandas": (
        """
import pandas as pd
I = list('abcd')
F = pd.DataFrame(X, columns=I)
G = pd.Series(V, index=I)
""",
        """
pd.Series(u) | pd.Series(u).mean() | pd.Series(u).rolling(2).mean().to_numpy()[1:] | pd.Series(u).ewm(alpha=.5).mean()
| pd.Series(u, index=I)['b'] | pd.Series(list(u)).sum() | pd.Series({'a': c, 'b': c}).sum() | pd.DataFrame(x).mean() |
pd.DataFrame(x).corr() | pd.DataFrame(x).cov() | pd.DataFrame({'a': p, 'b': q}).sum() | pd.DataFrame({'a': p, 'g':
L}).groupby('g').mean() | pd.DataFrame(x).describe() | pd.DataFrame(x).apply(np.sum) | pd.DataFrame(x).T |
pd.DataFrame(x).sort_values(0) | pd.DataFrame(x).melt()['value'] | pd.DataFrame(x).to_numpy() | (G * u).sum() | (u *
G).sum() | G + u | u - G | G / u | G ** u | G.dot(u) | F @ u | F * u | u * F | F + x | F.dot(u) | F.mul(u) | (F >
u).to_numpy() | (G > u).to_numpy() | (u > G).to_numpy() | F.assign(z=p)['z'] | pd.concat([F, pd.DataFrame(x,
columns=I)]) | F.where(X > .5, x) | F.mask(X > .5, c) | F.clip(c) | G.add(c) | c * G | G * c | G - c | F * c | c * F |
np.exp(pd.Series(u)) | pd.Series(N).map(lambda v: v * c) | pd.cut(u, 2).codes | pd.qcut(u, 2).codes | pd.unique(u) |
pd.factorize(u)[0] | pd.to_numeric(pd.Series(u)) | pd.isna(x) | pd.notna(x) | pd.Index(u) | pd.Categorical(u).codes |
pd.date_range('2020', periods=4) | F.iloc[:, 0].corr(pd.Series(p)) | F.set_axis(I, axis=1) |
pd.Series(u).interpolate() | pd.Series(u).quantile(.5) | pd.Series(u).cumsum() | pd.Series(u).diff().to_numpy()[1:] |
pd.Series(u).rank() | pd.Series(u).isin(w) | pd.Series(u).between(.2, .8) | pd.DataFrame([{'a': c, 'b': c * 2}]).sum()
| pd.DataFrame.from_records(x).sum() | pd.array(u) | pd.eval('G + G') | pd.Series(u).searchsorted(.5) |
pd.get_dummies(pd.Series(u > .5)) | pd.crosstab(u > .5, w > .5) | pd.merge(F, pd.DataFrame(x, columns=I), how='outer')
""",
    ),
    "xarray": (
        """
import xarray as xr
D = xr.DataArray(X, dims=('a', 'b'))
E = xr.DataArray(V, dims='b')
T = lambda x, **k: xr.DataArray(x, dims=('a', 'b'), **k)
""",
        """
T(x).sum() | T(x).sum('a') | T(x).mean('a') | T(x).max('a') | T(x).min() | T(x).std('a') | T(x).var('b') |
T(x).prod('a') | T(x).median('a') | T(x).cumsum('a') | T(x).cumprod('a') | T(x).argmax('a') | T(x).count('a') |
T(x).quantile(.5, 'a') | x * D | D * x | T(x) * D | T(x) + E | T(x) @ E | T(x) ** 2 | np.exp(T(x)) | T(x).isel(a=0) |
T(x, coords={'b': [1, 2, 3, 4]}).sel(b=[2, 3]) | T(x).transpose('b', 'a') | T(x).stack(z=('a', 'b')) |
T(x).rolling(a=2).mean() | T(x).shift(a=1) | T(x).roll(a=1) | T(x).diff('a') | T(x).dot(E) | xr.dot(T(x), E) |
xr.where(D > .5, T(x), 0.0) | T(x).where(D > .5, 0.0) | T(x).clip(.3, .6) | T(x).fillna(0.0) | xr.concat([T(x), D],
'a') | xr.apply_ufunc(np.sin, T(x)) | xr.corr(T(x), D) | xr.cov(T(x), D) | T(x).groupby(xr.DataArray(L, dims='a',
name='g')).mean() | T(x).coarsen(a=2).mean() | T(x).expand_dims('c') | T(x).squeeze() | T(x, coords={'a':
N}).interp(a=1.5) | T(x, coords={'a': N}).differentiate('a') | T(x, coords={'a': N}).integrate('a') | T(x).pad(a=1,
constant_values=0.0) | T(x).sortby(E) | T(x).rank('a') | T(x).to_dataset(name='v').v | xr.Dataset({'v': (('a', 'b'),
x)}).mean().v | T(x).astype('float32') | T(x).round() | T(x).copy() | T(x).weighted(E).mean('b') | T(x).polyfit('a',
1).polyfit_coefficients | T(x).to_pandas() | T(x).to_numpy() | T(x).equals(D) | T(x).broadcast_like(D) |
T(x).reindex(b=[0, 1]) | T(x).resample if False else 1.0 | T(x).unstack() | T(x).dropna('a') | xr.ones_like(T(x)) |
T(x).idxmax('a') | T(x).curvefit if False else 1.0
""",
    ),
    "polars": (
        """
import polars as pl
""",
        """
pl.Series(u) | pl.Series('a', u).sum() | pl.Series(list(u)).sum() | pl.DataFrame({'a': p, 'b': q}).sum().to_numpy() |
pl.DataFrame(x).to_numpy() | pl.DataFrame(x, schema=list('abcd')).select(pl.col('a') * 2).to_numpy() |
pl.from_numpy(x).to_numpy() | pl.DataFrame({'a': N}).with_columns(pl.lit(c).alias('c')).to_numpy() |
pl.DataFrame({'a': N}).with_columns(pl.Series('b', p)).to_numpy() | pl.Series(V) * c | pl.Series(V) + u |
pl.DataFrame([{'a': c}]).to_numpy() | pl.select(pl.lit(u)).to_numpy() | pl.Series(u).to_numpy() | pl.DataFrame({'a':
N}).filter(pl.col('a') > c).to_numpy() | pl.Series([u, w]).to_list() | (pl.Series(V) > c).to_numpy() | pl.Series(V,
dtype=pl.Float32).dot(u) | np.sin(pl.Series(V)) * 1.0
""",
    ),
    "seaborn": (
        """
import seaborn as sb, matplotlib.pyplot as plt, pandas as pd
B = lambda p, q: pd.DataFrame({'l': L, 'y': p, 'z': q})
def k(f):
    plt.close('all'); f(); g = plt.gcf()
    for a in g.axes:
        a.set(xlabel='', ylabel='')  # seaborn writes the name of what has one: None, as of a Series without
    g.canvas.draw(); return int(np.asarray(g.canvas.buffer_rgba()).astype(int).sum())
""",
        """
k(lambda: sb.histplot(u)) | k(lambda: sb.histplot(x)) | k(lambda: sb.kdeplot(p)) | k(lambda: sb.scatterplot(x=p, y=q))
| k(lambda: sb.lineplot(x=p, y=q)) | k(lambda: sb.lineplot(x)) | k(lambda: sb.boxplot(x)) | k(lambda:
sb.violinplot(x)) | k(lambda: sb.heatmap(x)) | k(lambda: sb.barplot(x=L, y=p)) | k(lambda: sb.stripplot(x=L, y=p)) |
k(lambda: sb.swarmplot(x=L, y=p)) | k(lambda: sb.regplot(x=p, y=q, ci=None)) | k(lambda: sb.residplot(x=p, y=q)) |
k(lambda: sb.ecdfplot(p)) | k(lambda: sb.rugplot(p)) | k(lambda: sb.pointplot(x=L, y=p, errorbar=None)) | k(lambda:
sb.clustermap(x)) | k(lambda: sb.boxenplot(x)) | k(lambda: sb.countplot(x=L)) | k(lambda: sb.displot(p)) | k(lambda:
sb.catplot(B(p, q), x='l', y='y')) | k(lambda: sb.jointplot(B(p, q), x='y', y='z')) | k(lambda: sb.relplot(x=p, y=q))
| k(lambda: sb.histplot(x=p, y=q)) | k(lambda: sb.scatterplot(B(p, q), x='y', y='z', hue='l', size='y'))
""",
    ),
    "matplotlib": (
        """
import matplotlib.pyplot as plt, matplotlib as mpl
def k(f, **o):
    plt.close('all'); a = plt.figure().add_subplot(**o); f(a); g = a.figure; g.canvas.draw(); return int(np.asarray(g.canvas.buffer_rgba()).astype(int).sum())
""",  # noqa: E501
        """
k(lambda a: a.acorr(u, maxlags=2)) | k(lambda a: a.angle_spectrum(np.tile(u, 8))) | k(lambda a: a.annotate('a', (c,
c))) | k(lambda a: a.arrow(c, c, c, c)) | k(lambda a: a.axhline(c)) | k(lambda a: a.axvline(c)) | k(lambda a:
a.axhspan(c, c + 1)) | k(lambda a: a.axline((c, c), slope=1)) | k(lambda a: a.barbs(p, q, p, q)) | k(lambda a:
a.bar(L, p)) | k(lambda a: a.bar(N, p, yerr=q)) | k(lambda a: a.broken_barh([(c, c)], (0, 1))) | k(lambda a:
a.cohere(np.tile(u, 8), np.tile(w, 8), NFFT=4, noverlap=0)) | k(lambda a: a.contourf(x)) | k(lambda a: a.contour(x,
levels=u.sort() if False else 4)) | k(lambda a: a.csd(np.tile(u, 8), np.tile(w, 8), NFFT=4, noverlap=0)) | k(lambda a:
a.ecdf(p)) | k(lambda a: a.errorbar(p, q, yerr=p, xerr=q)) | k(lambda a: a.fill(p, q)) | k(lambda a: a.fill_between(N,
p, q)) | k(lambda a: a.fill_between(N, p, q, where=p > .5)) | k(lambda a: a.fill_betweenx(N, p, q)) | k(lambda a:
a.grouped_bar([p, q])) | k(lambda a: a.hist(p, weights=q)) | k(lambda a: a.hist(p, bins=np.sort(q))) | k(lambda a:
a.hist([p, q])) | k(lambda a: a.hlines(p, 0, 1)) | k(lambda a: a.vlines(p, 0, q)) | k(lambda a: a.imshow(x, vmin=c)) |
k(lambda a: a.imshow(x, extent=u)) | k(lambda a: a.imshow(x[:, :3][None])) | k(lambda a: a.loglog(p, q)) | k(lambda a:
a.semilogy(p)) | k(lambda a: a.magnitude_spectrum(np.tile(u, 8))) | k(lambda a: a.matshow(x)) | k(lambda a:
a.pcolor(x)) | k(lambda a: a.pcolormesh(x, shading='gouraud')) | k(lambda a: a.phase_spectrum(np.tile(u, 8))) |
k(lambda a: a.plot(N, x)) | k(lambda a: a.plot(c, c, 'o')) | k(lambda a: a.plot([c, c, c])) | k(lambda a: a.plot(p, q,
linewidth=c)) | k(lambda a: a.plot(p, q, color=u[:3])) | k(lambda a: a.psd(np.tile(u, 8), NFFT=4)) | k(lambda a:
a.quiver(p, q, p, q, p)) | k(lambda a: a.scatter(p, q, s=p * 90, c=q)) | k(lambda a: a.scatter(p, q, c=x[:, :3])) |
k(lambda a: a.set_xlim(c, 2 * c)) | k(lambda a: a.set_xticks(u)) | k(lambda a: a.set_aspect(c)) | k(lambda a:
a.specgram(np.tile(u, 8), NFFT=4, noverlap=0)) | k(lambda a: a.spy(x > .5)) | k(lambda a: a.stackplot(N, p, q)) |
k(lambda a: a.stairs(p)) | k(lambda a: a.stem(p)) | k(lambda a: a.streamplot(N[:4], N, x, x)) | k(lambda a: a.text(c,
c, 'a')) | k(lambda a: a.tricontour(p, q, p)) | k(lambda a: a.tripcolor(p, q, p)) | k(lambda a: a.triplot(p, q)) |
k(lambda a: a.violinplot([p, q])) | k(lambda a: a.xcorr(p, q, maxlags=2)) | k(lambda a: a.add_patch(plt.Circle(u[:2],
c))) | k(lambda a: a.add_patch(plt.Polygon(x[:, :2]))) | k(lambda a:
a.add_collection(mpl.collections.LineCollection([x[:, :2]]))) | k(lambda a: a.legend(a.plot(p), ['a'])) | k(lambda a:
a.figure.colorbar(a.imshow(x))) | k(lambda a: a.plot_surface(x, x, x), projection='3d') | k(lambda a: a.scatter(p, q,
p), projection='3d') | k(lambda a: a.plot(p, q, p), projection='3d') | k(lambda a: a.contour(x, x, x),
projection='3d') | k(lambda a: a.plot_wireframe(x, x, x), projection='3d') | k(lambda a: a.plot_trisurf(p, q, p),
projection='3d') | k(lambda a: a.bar3d(p, q, 0 * p, p, q, p), projection='3d') | k(lambda a: a.quiver(p, q, p, p, q,
p), projection='3d') | k(lambda a: a.plot(p, q), projection='polar') | plt.get_cmap('viridis')(u) |
plt.get_cmap('viridis')(c) | plt.Normalize()(u) | plt.Normalize(0, c)(V) | mpl.colors.LogNorm()(u) |
mpl.colors.to_rgba(u[:3]) | mpl.colors.rgb_to_hsv(u[:3]) | mpl.transforms.Affine2D().rotate(c).transform(X[:, :2]) |
mpl.transforms.Affine2D().rotate(1.0).transform(x[:, :2]) | mpl.path.Path(x[:, :2]).vertices |
mpl.dates.num2date(c).year | mpl.tri.Triangulation(p, q).triangles | mpl.cbook.boxplot_stats(x)[0]['mean'] |
mpl.mlab.detrend_linear(u) | mpl.mlab.psd(np.tile(u, 8), NFFT=4)[0] | mpl.ticker.FormatStrFormatter('%.1f')(c)
""",
    ),
}
