"""Tables of calls of smaller packages, as in software_science.py."""

CALLS = {
    "tqdm": (
        """
import tqdm, io
""",
        """
(lambda b: (b.set_postfix(loss=float(c)), b.postfix)[1])(tqdm.tqdm([1], file=io.StringIO())) | tqdm.tqdm.format_num(c)
| len(list(tqdm.tqdm(u, file=io.StringIO()))) | (lambda b: (b.set_postfix({'loss': f'{c:.3f}', 'n': 3}),
b.postfix)[1])(tqdm.tqdm([1], file=io.StringIO())) | (lambda b: (b.update(c), b.n)[1])(tqdm.tqdm(total=9,
file=io.StringIO()))
""",
    ),
    "rich": (
        """
import rich.console, rich.table, rich.pretty, rich.progress, io
def k(*a):
    o = io.StringIO(); rich.console.Console(file=o, width=80).print(*a); return o.getvalue()
""",
        """
k(f'{c:.3f}') | k(np.asarray(u).round(2).tolist()) | k('%.3f' % c) | 'array' in rich.pretty.pretty_repr(u) or 'tensor'
in rich.pretty.pretty_repr(u) | (lambda p: (p.add_task('a', total=c), p.tasks[0].total)[1])(rich.progress.Progress())
""",
    ),
    "tabulate": (
        """
import tabulate
""",
        """
tabulate.tabulate(x) | tabulate.tabulate([[c, c]]) | tabulate.tabulate({'a': p, 'b': q}) | tabulate.tabulate(x,
floatfmt='.2f')
""",
    ),
    "einops": (
        """
import einops as e
""",
        """
e.rearrange(x, 'a (b c) -> c b a', b=2) | e.rearrange([u, w], 'a b -> b a') | e.reduce(x, 'a b -> b', 'sum') |
e.reduce(x, 'a b -> b', 'mean') | e.reduce(x, 'a b -> b', 'max') | e.reduce(x, 'a b -> b', 'min') | e.reduce(x, 'a b
-> b', 'prod') | e.reduce(x, 'a (b 2) -> a b', 'mean') | e.repeat(x, 'a b -> a b c', c=2) | e.einsum(x, x, 'a b, c b
-> a c') | e.einsum(x, V, 'a b, b -> a') | e.pack([x, x], 'a *')[0] | e.unpack(x, [[1], [3]], 'a *') | e.rearrange(x,
'a b -> 1 a 1 b') | e.asnumpy(np.asarray(X)) | e.parse_shape(x, 'a b')['a']
""",
    ),
    "einx": (
        """
import einx as e
""",
        """
e.sum('a [b]', x) | e.mean('a [b]', x) | e.max('a [b]', x) | e.var('a [b]', x) | e.prod('a [b]', x) | e.id('a (b c) ->
c b a', x, b=2) | e.dot('a b, c b -> a c', x, x) | e.softmax('a [b]', x) | e.add('a b, b', x, V) | e.multiply('a b,
a', x, p) | e.where('a b, a b, ', X > .5, x, 0.0) | e.logsumexp('a [b]', x) | e.flip('a [b]', x) | e.roll('a [b]', x,
shift=1) | e.get_at('[a] b, c -> c b', x, L) | e.sort('a [b]', x) | e.argmax('a [b]', x)
""",
    ),
    "autoray": (
        """
import autoray as ar
""",
        """
ar.do('sin', x) | ar.do('exp', x) | ar.do('sum', x) | ar.do('mean', x, axis=0) | ar.do('transpose', x) |
ar.do('linalg.norm', x) | ar.do('linalg.svd', s)[1] | ar.do('linalg.inv', s) | ar.do('linalg.eigh', s)[0] |
ar.do('linalg.solve', s, V) | ar.do('trace', s) | ar.do('reshape', x, (4, 6)) | ar.do('stack', [x, x]) |
ar.do('concatenate', (x, x)) | ar.do('einsum', 'ab,cb->ac', x, x) | ar.do('tensordot', x, x, ((0, 1), (0, 1))) |
ar.do('where', X > .5, x, x * 2) | ar.do('clip', x, .3, .6) | ar.do('diag', s) | ar.do('eye', 3, like=x) |
ar.do('zeros', (2,), like=x) | ar.do('max', x) | ar.do('array', [1., 2.], like=x) | ar.do('kron', x, x) |
ar.do('linalg.expm', s * .1) | ar.do('linalg.cholesky', s) | ar.do('linalg.det', s) | ar.do('pad', x, 1) |
ar.do('take', x, L, axis=0) | ar.do('cumsum', x, 0) | ar.do('flip', x, 0) | ar.do('prod', x) | ar.do('abs', x) |
ar.do('conj', x) | ar.do('real', x) | ar.do('imag', x) | ar.do('arctan2', x, x) | ar.do('logical_not', x > .5) |
ar.do('isnan', x) | ar.do('count_nonzero', x) | ar.do('split', x, 2)[0] | ar.do('outer', u, w) | ar.do('vdot', u, w) |
ar.do('complex', x, x) | ar.do('astype', x, 'float32') | ar.to_numpy(X) | ar.shape(x) | ar.ndim(x) | ar.astype(x,
'complex128') | ar.do('linalg.qr', x)[0] @ ar.do('linalg.qr', x)[1] | ar.do('triu', s) | ar.do('tril', s) |
ar.do('expand_dims', x, 0) | ar.do('squeeze', x) | ar.do('argsort', u) | ar.do('sort', u) | ar.do('unique', u) |
ar.do('allclose', x, x)
""",
    ),
    "quimb": (
        """
import quimb as qu, quimb.tensor as qtn
t = lambda x, i: qtn.Tensor(x, inds=i)
""",
        """
(t(s, 'ij') & t(s, 'jk') & t(s, 'ki')).contract() | (t(s, 'ij') @ t(S, 'ij')) | t(s, 'ij').norm() | t(s,
'ij').trace('i', 'j') | (lambda a: (a[0] @ a[1]).data)(t(s, 'ij').split('i', get='tensors', max_bond=2)) | (lambda a:
(a[0] @ a[1]).data)(t(s, 'ij').split('i', get='tensors', method='qr')) | t(s, 'ij').split('i', get='values') |
qtn.MatrixProductState([x[:2, :2], np.stack([x[:2, :2], x[2:4, :2]], 2).transpose(0, 2, 1), x[:2, :2]]).norm() | t(x,
'ij').fuse({'k': 'ij'}).data | t(x, 'ij').transpose('j', 'i').data | t(x, 'ij').sum_reduce('i').data | t(x,
'ij').isel({'i': 0}).data | qtn.tensor_contract(t(x, 'ij'), t(x, 'ik')).data | qtn.TensorNetwork([t(s, 'ij'), t(s,
'jk')]).contract(output_inds='ik').data
""",
    ),
    "cotengra": (
        """
import cotengra as ct
""",
        """
ct.einsum('ab,cb,c->a', x, x, p) | ct.array_contract([x, x], [(0, 1), (2, 1)], (0, 2)) | ct.einsum('ab,bc,cd->ad', s,
s, s)
""",
    ),
    "opt_einsum": (
        """
import opt_einsum as oe
""",
        """
oe.contract('ab,cb,c->a', x, x, p) | oe.contract('ab,bc,cd->ad', s, s, s, optimize='dp') |
oe.contract_expression('ab,b->a', (6, 4), (4,))(x, u) | oe.contract_expression('ab,b->a', X, (4,), constants=[0])(u) |
oe.contract_path('ab,cb->ac', x, x)[0] | oe.contract('ab->b', x) | oe.contract(x, [0, 1], u, [1], [0])
""",
    ),
    "pint": (
        """
import pint, warnings
r = pint.UnitRegistry()
m = r.m
""",
        """
x * m | m * x | x / m | x * (V * m) | (V * m) * x | x + (V * r.dimensionless) | np.sum(x * m) | (x * m).sum() | (x *
m).to('km') | (x * m) ** 2 | np.sqrt(x * m) | r.Quantity(x, 'm') | r.Quantity(x, 'm').mean() | np.sin(x * r.rad) | (x
* m) @ (V * r.s) | np.dot(x * m, V) | np.concatenate([x * m, x * m]) | (u * m) + (V * r.cm) | (V * m) + (u * m) |
np.mean(x * m, axis=0) | np.max(x * m) | np.linalg.norm(x * m) | np.stack([u * m, w * m]) | (u * m).to_base_units() |
c * m | r.Quantity(c, 'm') + 1 * m | (u * m > .5 * m) | np.cumsum(u * m) | np.where(X > .5, x * m, 0 * m) | np.clip(x
* m, .3 * m, .6 * m)
""",
    ),
    "astropy": (
        """
import astropy.units as un
from astropy import stats as ast, convolution as acv, table as atb, coordinates as aco, time as atm, modeling as amd, constants as acn, timeseries as ats
""",  # noqa: E501
        """
x * un.m | un.m * x | x / un.m | un.Quantity(x, 'm') | (x * un.m).to('km') | np.sum(x * un.m) | np.sin(x * un.rad) |
(V * un.m) * 2 | acn.c * c | un.Quantity(c, 'm').to('cm') | ast.sigma_clip(x) | ast.mad_std(x) |
ast.biweight_location(u) | acv.convolve(u, [.2, .6, .2]) | atb.Table({'a': p})['a'] | aco.SkyCoord(u * un.deg, w *
un.deg).ra | atm.Time(u, format='jyear').jd | amd.models.Gaussian1D(1.0, 0.5, 0.2)(u) | amd.models.Gaussian1D(c, 0.5,
0.2)(V) | ats.LombScargle(N, p).power([.1, .2]) | ast.histogram(p)[0] | un.Quantity([c, c], 'm')
""",
    ),
    "unyt": (
        """
import unyt
""",
        """
x * unyt.m | unyt.m * x | unyt.unyt_array(x, 'm') | (unyt.unyt_array(V, 'm') * 2).value | unyt.unyt_quantity(c, 'm') |
(x * unyt.m).to('km') | np.sum(x * unyt.m)
""",
    ),
    "uncertainties": (
        """
import uncertainties as un, uncertainties.unumpy as um
a = un.ufloat(1.0, .1)
""",
        """
(c * a).nominal_value | (a * c).nominal_value | (a + c).nominal_value | (c / a).nominal_value |
um.nominal_values(um.uarray(u, w)) | um.nominal_values(u * a) | um.nominal_values(um.uarray(V, V) * u) | un.ufloat(c,
.1).nominal_value
""",
    ),
    "sparse": (
        """
import sparse as sp
A = sp.COO.from_numpy(S)
""",
        """
(A @ u) | (u @ A) | (A * s).todense() | (s * A).todense() | (A * c).todense() | (c * A).todense() |
sp.COO.from_numpy(x).todense() | sp.tensordot(A, s, 1) | sp.dot(A, u) | np.dot(A, u) | A + s | s + A | (A >
c).todense() | sp.einsum('ij,j->i', A, sp.COO.from_numpy(u)).todense() | sp.COO(x).sum() | sp.where(A > 1, A,
c).todense() | sp.asarray(x).todense()
""",
    ),
    "numba": (
        """
import numba as nb
f = nb.njit(lambda a: a.sum())
g = nb.vectorize(['float64(float64)'])(lambda a: a * a)
h = nb.guvectorize(['(float64[:], float64[:])'], '(n)->()')(lambda a, o: None)
""",
        """
f(np.asarray(x)) | f(x) | g(x) | g(c) | nb.njit(lambda a: a * 2)(c) | nb.typeof(x).ndim | nb.njit(lambda a, b: a @
b)(s, V)
""",
    ),
    "dask": (
        """
import dask, dask.array as da
D = da.from_array(X, chunks=3)
""",
        """
da.from_array(x, chunks=3).sum().compute() | da.from_array(x, chunks=3).mean(0).compute() | (D * u).compute() | (u *
D).compute() | (D + x).compute() | (x + D).compute() | (D @ u).compute() | da.asarray(x).compute() |
da.concatenate([D, da.from_array(x)]).compute() | da.from_array(x, chunks=3).std().compute() |
dask.delayed(np.sum)(x).compute() | dask.compute(dask.delayed(lambda a: a * 2)(x))[0] | da.map_blocks(lambda b: b * 2,
da.from_array(x, chunks=3)).compute() | da.from_array(x).T.compute() | da.sin(da.from_array(x)).compute() | da.where(D
> .5, D, c).compute() | da.stack([da.asarray(u), da.asarray(w)]).compute() |
da.linalg.norm(da.from_array(x)).compute() | da.from_array(x, chunks=3)[1:3].compute() |
da.tensordot(da.from_array(x), D, 2).compute() | da.einsum('ab,ab->a', da.from_array(x), D).compute() |
da.reductions.max(da.from_array(x)).compute() | da.from_delayed(dask.delayed(x), (6, 4), float).compute() |
dask.base.tokenize(x) == dask.base.tokenize(x)
""",
    ),
    "statsmodels": (
        """
import statsmodels.api as sm, statsmodels.tsa.api as ts, statsmodels.stats.api as ss, statsmodels.nonparametric.api as sn, statsmodels.stats.weightstats as sw, statsmodels.stats.stattools as stt, statsmodels.stats.moment_helpers as mh
""",  # noqa: E501
        """
sm.OLS(p, X[:, :2]).fit().params | sm.OLS(N, x).fit().params | sm.OLS(p, sm.add_constant(q)).fit().params | sm.WLS(p,
X[:, :2], weights=q).fit().params | sm.GLS(p, X[:, :2]).fit().params | sm.GLM(p, X[:, :2],
sm.families.Gamma(sm.families.links.Log())).fit().params | sm.RLM(N, x).fit().params | sm.QuantReg(N, x[:,
:2]).fit().params | ts.acf(np.tile(p, 3), nlags=3) | ts.pacf(np.tile(p, 6), nlags=3) | ts.adfuller(np.concatenate([p,
q, p * q]), maxlag=1)[0] | ts.kpss(np.tile(p, 3), nlags=1)[0] | ts.SimpleExpSmoothing(np.tile(p, 3),
initialization_method='estimated').fit(.5, optimized=False).fittedvalues | sm.tsa.detrend(p) | sm.tsa.lagmat(p, 2) |
sn.lowess(p, N) | sm.nonparametric.KDEUnivariate(p).fit().density if False else 1.0 | sw.DescrStatsW(p).mean |
sw.ttest_ind(p, q)[0] | stt.durbin_watson(p) | stt.jarque_bera(p)[0] | ss.proportion_confint(3, 9)[0] |
ss.multipletests(u)[1] | mh.cov2corr(s) | mh.corr2cov(s, V) | sm.robust.mad(p) | sm.robust.scale.huber(p)[0] |
sm.add_constant(x) | sm.tools.tools.pinv_extended(x)[0] | sm.stats.diagnostic.acorr_ljungbox(np.tile(p, 3),
lags=[1]).to_numpy() | sm.PCA(x, ncomp=2).eigenvals if hasattr(sm, 'PCA') else 1.0 | sm.distributions.ECDF(p)(.5) |
sm.tsa.filters.hpfilter(np.tile(p, 3))[1]
""",
    ),
    "lmfit": (
        """
import lmfit
G = lmfit.models.LinearModel()
""",
        """
G.fit(p, slope=1, intercept=0, x=N).best_values['slope'] | G.fit(X[:, 0], slope=1, intercept=0,
x=p).best_values['slope'] | G.eval(slope=c, intercept=0, x=V) | G.eval(slope=1.0, intercept=0, x=u) |
lmfit.minimize(lambda t: np.asarray(X[:, 0] - t['a'] * N), lmfit.create_params(a=1.0)).params['a'].value |
lmfit.Parameter('a', value=c).value | lmfit.create_params(a=c)['a'].value | lmfit.lineshapes.gaussian(u) |
lmfit.lineshapes.lorentzian(u) | lmfit.lineshapes.voigt(u) | lmfit.lineshapes.pvoigt(u) |
lmfit.lineshapes.exponential(u) | lmfit.lineshapes.powerlaw(u)
""",
    ),
    "emcee": (
        """
import emcee
def k(f):
    e = emcee.EnsembleSampler(8, 2, f); e.random_state = np.random.RandomState(0).get_state(); e.run_mcmc(np.random.RandomState(1).rand(8, 2), 5); return e.get_chain()
""",  # noqa: E501
        """
k(lambda t: -.5 * ((t - V[:2])**2).sum()) | k(lambda t: -.5 * np.sum((t - np.asarray(u)[:2])**2)) |
emcee.autocorr.function_1d(np.tile(p, 4)) | k(lambda t: -.5 * (t * t).sum() * c) | k(lambda t: -.5 * ((t -
u[:2])**2).sum())
""",
    ),
    "iminuit": (
        """
import iminuit as im, iminuit.cost as co
""",
        """
np.round(im.Minuit(lambda a: (a - V[0])**2, a=1.0).migrad().values['a'], 4) | np.round(im.Minuit(lambda a: (a - c)**2,
a=1.0).migrad().values['a'], 4) | co.LeastSquares(N, p, .1, lambda t, a: a * t)(1.0) | co.UnbinnedNLL(p, lambda t, m:
np.exp(-(t - m)**2))(.5) | np.round(im.minimize(lambda t: ((t - V)**2).sum(), u).x, 3) | np.round(im.Minuit(lambda t:
((t - V)**2).sum(), u).migrad().values, 4)
""",
    ),
    "cvxpy": (
        """
import cvxpy as cp
v = lambda: cp.Variable(4)
def k(f, *more):
    t = cp.Variable(4); p = cp.Problem(f(t)[0], f(t)[1:]); p.solve(); return np.round(t.value, 2)
s2 = cp.sum_squares
""",
        """
k(lambda t: [cp.Minimize(s2(x @ t - 1.0))]) | k(lambda t: [cp.Minimize(s2(t - u))]) | k(lambda t: [cp.Minimize(s2(u -
t))]) | k(lambda t: [cp.Minimize(s2(t)), t >= u]) | k(lambda t: [cp.Minimize(s2(t)), u <= t]) | k(lambda t:
[cp.Minimize(s2(t)), t == u]) | k(lambda t: [cp.Minimize(s2(t)), u == t]) | k(lambda t: [cp.Minimize(c * cp.norm1(t) +
s2(t - 1))]) | k(lambda t: [cp.Minimize(cp.quad_form(t, s) - u @ t)]) | k(lambda t: [cp.Minimize(cp.quad_form(t, S) -
V @ t + u @ t)]) | k(lambda t: [cp.Minimize(s2(cp.multiply(u, t) - 1))]) | k(lambda t: [cp.Minimize(s2(t / c - 1))]) |
cp.Parameter(4, value=u).value | cp.Constant(x).value | cp.sum(cp.Constant(x)).value | (cp.Constant(V) * c).value | (u
@ cp.Constant(V)).value | (u + cp.Constant(V)).value | cp.bmat([[cp.Constant(x)]]).value | cp.hstack([u,
cp.Constant(V)]).value | (u * cp.Constant(2.0)).value | (cp.Constant(V) <= u).value()
""",
    ),
    "sympy": (
        """
import sympy as sy
a, b = sy.symbols('a b')
F = lambda e, *m: sy.lambdify(a, e, *m)
""",
        """
F(sy.sin(a) * a**2, 'numpy')(x) | F(sy.exp(-a) + sy.sqrt(a), 'numpy')(x) | F(sy.Piecewise((a, a > .5), (a**2, True)),
'numpy')(x) | F(sy.Abs(a) + sy.Max(a, .5), 'numpy')(x) | F(sy.erf(a) + sy.gamma(a), 'scipy')(x) | F(sy.Matrix([[a,
a**2], [1, a]]), 'numpy')(c) | F(sy.sin(a), 'math')(c) | float((a * c).subs(a, 2.0)) | float((c * a).subs(a, 2.0)) |
float((a + c).subs(a, 2.0)) | float((a ** c).subs(a, 2.0)) | float(a.subs(a, c)) | float(sy.sin(a).evalf(subs={a: c}))
| float(sy.Float(c)) | float(sy.sympify(c)) | np.array(sy.Matrix(np.asarray(s).tolist()).det(), float) |
sy.Matrix(s).shape[0] | float(sy.Matrix(s).det()) | F(sy.besselj(0, a), 'scipy')(x) | F(sy.LambertW(a), 'scipy')(x) |
F(sy.zeta(a + 1), 'scipy')(x) | F(sy.log(a, 2) + sy.cot(a) + sy.sec(a), 'numpy')(x) | F(sy.sinc(a) + sy.atan2(a, 2),
'numpy')(x) | F(sy.Mod(a, .3) + sy.floor(a) + sy.sign(a), 'numpy')(x) | F(sy.Sum(a * b, (b, 1, 3)), 'numpy')(x) |
F(sy.Heaviside(a - .5), 'numpy')(x)
""",
    ),
    "networkx": (
        """
import networkx as nx
def g(x, k='weight', kind=nx.DiGraph):
    r = kind(); n = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2), (3, 4)]
    [r.add_edge(*e, **{k: v}) for e, v in zip(n, [*x[0], x[1, 0], x[1, 1]])]; return r
""",
        """
nx.shortest_path_length(g(x), 0, 4, weight='weight') | nx.dijkstra_path(g(x), 0, 4) |
nx.bellman_ford_path_length(g(x), 0, 4) | nx.maximum_flow_value(g(x, 'capacity'), 0, 4) | nx.maximum_flow(g(x,
'capacity'), 0, 4)[1][0][1] | nx.minimum_cut_value(g(x, 'capacity'), 0, 4) | sum(nx.pagerank(g(x)).values()) |
nx.pagerank(g(x))[4] | nx.to_numpy_array(g(x)) | nx.from_numpy_array(s).size(weight='weight') |
nx.laplacian_matrix(g(x, kind=nx.Graph)).toarray() | nx.algebraic_connectivity(g(x, kind=nx.Graph)) | sum(d['weight']
for *_, d in nx.minimum_spanning_edges(g(x, kind=nx.Graph))) | nx.max_weight_matching(g(x, kind=nx.Graph)) |
dict(nx.degree(g(x), weight='weight'))[3] | nx.average_clustering(g(x, kind=nx.Graph), weight='weight') |
nx.betweenness_centrality(g(x), weight='weight')[1] | nx.closeness_centrality(g(x), distance='weight')[4] |
nx.eigenvector_centrality_numpy(g(x, kind=nx.Graph), weight='weight')[1] | nx.katz_centrality_numpy(g(x),
weight='weight')[4] | nx.floyd_warshall_numpy(g(x))[0, 4] | nx.johnson(g(x))[0][4] | nx.astar_path_length(g(x), 0, 4)
| nx.dag_longest_path_length(g(x)) | nx.spring_layout(g(x, kind=nx.Graph), seed=0)[0] |
nx.circular_layout(nx.path_graph(3), center=u[:2])[0] | nx.modularity_matrix(g(x, kind=nx.Graph), weight='weight') |
nx.effective_graph_resistance(g(x, kind=nx.Graph), weight='weight') | nx.global_efficiency(g(x, kind=nx.Graph)) |
nx.current_flow_closeness_centrality(g(x, kind=nx.Graph), weight='weight')[0] | nx.stoer_wagner(g(x,
kind=nx.Graph))[0] | nx.min_cost_flow_cost(nx.DiGraph([(0, 1)])) | nx.adjacency_matrix(g(x)).toarray() |
nx.incidence_matrix(g(x), weight='weight').toarray() | nx.hits(g(x))[0][0] | nx.google_matrix(g(x)) |
nx.attr_matrix(g(x), edge_attr='weight')[0]
""",
    ),
    "array_api_compat": (
        """
import array_api_compat as ac
n = ac.array_namespace
""",
        """
n(x).sum(x) | n(x).linalg.inv(s) | ac.device(x) is not None | ac.to_device(x, 'cpu') | ac.size(x) |
ac.is_array_api_obj(x) | n(x, X).mean(x) | n(x).matmul(s, s) | n(x).unique_values(x) | n(x).fft.fft(x) | n(x).take(x,
n(x).asarray([0]), axis=0) | n(x).astype(x, n(x).float32) | n(x).__array_namespace_info__().default_dtypes()['real
floating'] == np.float64
""",
    ),
    "array_api_extra": (
        """
import array_api_extra as ae
""",
        """
ae.atleast_nd(u, ndim=2) | ae.cov(x) | ae.create_diagonal(u) | ae.expand_dims(x, axis=0) | ae.kron(x, x) |
ae.nunique(x) | ae.pad(x, 1) | ae.setdiff1d(u, w) | ae.sinc(x) | ae.at(x, 0).set(0.0) | ae.at(x, 0).add(1.0) |
ae.at(x, 0).multiply(2.0) | ae.isclose(x, x) | ae.apply_where(x > .5, x, lambda a: a * a, lambda a: a) |
ae.default_dtype(np) == np.float64 | ae.lazy_apply(lambda a: np.asarray(a) * 2, x) | ae.one_hot(np.asarray(L), 2)
""",
    ),
    "h5py": (
        """
import h5py, io
def k(v):
    f = h5py.File(io.BytesIO(), 'w'); f['a'] = v; return f['a'][()]
""",
        """
k(x) | k(c) | k(u > .5) | (lambda f: (f.create_dataset('b', data=x), f['b'][1:3])[1])(h5py.File(io.BytesIO(), 'w')) |
(lambda f: (f.attrs.__setitem__('b', u), f.attrs['b'])[1])(h5py.File(io.BytesIO(), 'w'))
""",
    ),
    "zarr": (
        """
import zarr
""",
        """
zarr.array(x)[:] | zarr.create_array(zarr.storage.MemoryStore(), data=np.asarray(X))[:] | (lambda z:
(z.__setitem__(slice(None), x), z[:])[1])(zarr.zeros((6, 4))) | zarr.create_array(zarr.storage.MemoryStore(),
data=x)[:]
""",
    ),
    "safetensors": (
        """
import safetensors.numpy as sn
""",
        """
sn.load(sn.save({'a': np.asarray(X)}))['a'] | sn.load(sn.save({'a': x}))['a'] | sn.load(sn.save({'a': x.T}))['a']
""",
    ),
    "pydantic": (
        """
import pydantic
class A(pydantic.BaseModel):
    v: float
class B(pydantic.BaseModel):
    model_config = {'arbitrary_types_allowed': True}
    v: object
""",
        """
A(v=c).v | B(v=x).v
""",
    ),
    "jaxtyping": (
        """
import jaxtyping as jt, beartype, tinygrad_math as tm
""",
        """
isinstance(x, (jt.Float[np.ndarray, '6 4'], jt.Float[tm.Tensor, '6 4'])) | isinstance(u, (jt.Float[np.ndarray, 'a'],
jt.Float[tm.Tensor, 'a'])) | isinstance(x, (jt.Int[np.ndarray, '...'], jt.Int[tm.Tensor, '...']))
""",
    ),
    "PIL": (
        """
from PIL import Image
""",
        """
np.asarray(Image.fromarray((x * 255).astype(np.uint8))) | np.asarray(Image.fromarray(np.asarray(X))) |
np.asarray(Image.fromarray(x))
""",
    ),
    "joblib": (
        """
import joblib, io
""",
        """
joblib.hash(np.asarray(X)) | joblib.Parallel(1)(joblib.delayed(np.sum)(a) for a in [x, x]) | joblib.Parallel(2,
prefer='threads')(joblib.delayed(np.sum)(a) for a in [x, x]) | joblib.hash(x) == joblib.hash(x) | (lambda b:
(joblib.dump(x, b), b.seek(0), joblib.load(b))[2])(io.BytesIO())
""",
    ),
    "msgpack": (
        """
import msgpack
""",
        """
msgpack.unpackb(msgpack.packb(np.asarray(u).tolist())) | msgpack.unpackb(msgpack.packb(c, default=float))
""",
    ),
    "orjson": (
        """
import orjson
""",
        """
orjson.loads(orjson.dumps(np.asarray(X), option=orjson.OPT_SERIALIZE_NUMPY)) | orjson.loads(orjson.dumps(x,
option=orjson.OPT_SERIALIZE_NUMPY, default=lambda t: t.tolist()))
""",
    ),
    "numexpr": (
        """
import numexpr as ne
""",
        """
ne.evaluate('x * 2', {'x': x}) | ne.evaluate('sum(x)', {'x': x}) | ne.evaluate('a * x', {'x': X, 'a': c}) |
ne.evaluate('where(x > 0.5, x, a)', {'x': x, 'a': c})
""",
    ),
    "bottleneck": (
        """
import bottleneck as bn
""",
        """
bn.nansum(x) | bn.nanmean(x) | bn.median(x) | bn.move_mean(x, 2, min_count=1) | bn.nanmax(x) | bn.rankdata(x) |
bn.push(x) | bn.nanstd(x) | bn.ss(x) | bn.nanargmax(x) | bn.partition(x, 2).sum() | bn.anynan(x)
""",
    ),
    "pyarrow": (
        """
import pyarrow as pa
""",
        """
pa.array(u).to_numpy() | pa.array(list(u)).to_numpy() | pa.scalar(c).as_py() |
pa.Tensor.from_numpy(np.asarray(X)).to_numpy() | pa.table({'a': p})['a'].to_numpy() |
pa.Tensor.from_numpy(x).to_numpy()
""",
    ),
    "shapely": (
        """
import shapely as sh
""",
        """
sh.Point(c, c).x | sh.points(x[:, :2]).tolist()[0].x | sh.LineString(x[:, :2]).length | sh.Polygon(x[:3, :2]).area |
sh.Point(0, 0).buffer(c).area | sh.Point(0, 0).distance(sh.Point(c, c)) | sh.affinity.scale(sh.Point(1, 1), c, c).x if
hasattr(sh, 'affinity') else 1.0 | sh.get_coordinates(sh.linestrings(x[:, :2]))
""",
    ),
    "skimage": (
        """
import skimage as sk
from skimage import filters as f, transform as t, measure as m, color as co, exposure as ex, morphology as mo, restoration as re, metrics as me, feature as fe, segmentation as sg, util as ut
x = None
""",  # noqa: E501
        """
f.gaussian(x, 1.0) | f.sobel(x) | f.threshold_otsu(x) | f.median(x) | f.laplace(x) | f.unsharp_mask(x) | t.resize(x,
(3, 2)) | t.rotate(x, 30.) | t.rescale(x, .5) | t.warp(x, np.eye(3)) | m.shannon_entropy(x) | m.moments(x) |
m.profile_line(x, (0, 0), (3, 3)) | m.label(x > .5) | m.find_contours(x, .5)[0] | m.block_reduce(x, 2, np.mean) |
co.gray2rgb(x) | co.rgb2gray(x[:, :3][None]) | co.rgb2hsv(x[:, :3][None]) | co.rgb2lab(x[:, :3][None]) |
ex.rescale_intensity(x) | ex.adjust_gamma(x, 2) | ex.equalize_hist(x) | ex.histogram(x)[0] | mo.dilation(x) |
mo.erosion(x) | mo.opening(x) | re.denoise_tv_chambolle(x) | re.denoise_bilateral(x) | me.mean_squared_error(x, X +
.1) | me.peak_signal_noise_ratio(x, X + .1, data_range=1) | me.structural_similarity(x, X + .1, win_size=3,
data_range=1) | me.normalized_root_mse(x, X + .1) | fe.canny(x) | fe.corner_harris(x) | fe.hessian_matrix(x)[0] |
fe.peak_local_max(x) | sg.clear_border(x > .5) | ut.img_as_ubyte(x) | ut.invert(x) | ut.random_noise(x, rng=0) |
ut.view_as_windows(x, 2)
""",
    ),
    "pywt": (
        """
import pywt
""",
        """
pywt.dwt(u, 'haar') | pywt.idwt(u, w, 'haar') | pywt.wavedec(u, 'haar') | pywt.dwt2(x, 'haar')[0] | pywt.cwt(u, [1.,
2.], 'morl')[0] | pywt.threshold(x, .5) | pywt.swt(u, 'haar', 1)[0] | pywt.waverec(pywt.wavedec(u, 'haar'), 'haar')
""",
    ),
    "control": (
        """
import control as ct
""",
        """
ct.tf([c], [1.0, 1.0]).dcgain() | ct.ss(-s, S, S, 0 * S).dcgain() | ct.lqr(-s, S, S, S)[0] | ct.care(s, S, S)[0] |
ct.tf(u, [1., 2., 3., 4., 5.]).dcgain() | ct.step_response(ct.tf([1.], [1., 1.]), N)[1] |
ct.forced_response(ct.tf([1.], [1., 1.]), N, p)[1] | ct.lyap(s, S) | ct.ctrb(s, S) | ct.poles(ct.ss(-s, S, S, 0 * S))
""",
    ),
    "filterpy": (
        """
import filterpy.kalman as fk, filterpy.stats as fs, filterpy.common as fc
""",
        """
fk.predict(u[:2], s[:2, :2])[0] | fk.update(c, 1.0, 2.0, 1.0)[0] | fs.gaussian(c, 0., 1.) | fs.mul(c, 1., 2., 1.)[0] |
fc.Q_discrete_white_noise(2, c) | fs.multivariate_gaussian(u, V, S) | fs.logpdf(u, V, S)
""",
    ),
    "casadi": (
        """
import casadi as ca
a = ca.SX.sym('a')
F = ca.Function('f', [a], [a**2])
""",
        """
float(F(c)) | np.asarray(ca.DM(x)) | np.asarray(ca.DM(S) @ u) | np.asarray(u @ ca.DM(S)) | np.asarray(ca.DM(V) + u) |
np.asarray(ca.evalf(ca.substitute(a * c, a, 2.0))) | np.asarray(ca.evalf(ca.substitute(c * a, a, 2.0)))
""",
    ),
    "mpmath": (
        """
import mpmath as mp
""",
        """
float(mp.sin(c)) | float(mp.mpf(2) * c) | float(c * mp.mpf(2)) | float(mp.mpf(c)) | float(mp.mpf(2) + c) |
float(mp.quad(lambda t: t * c, [0, 1])) | float(mp.det(mp.matrix(np.asarray(s).tolist()))) | float(mp.diff(lambda t: t
* t, c)) | float(mp.matrix(s)[0, 0])
""",
    ),
    "hmmlearn": (
        """
import hmmlearn.hmm as hm
""",
        """
hm.GaussianHMM(2, random_state=0, n_iter=2).fit(x).means_ | hm.GaussianHMM(1, random_state=0,
n_iter=2).fit(x).score(x) | hm.GaussianHMM(1, n_iter=1).fit(X).score(x)
""",
    ),
    "arviz": (
        """
import arviz as az
""",
        """
az.hdi(np.tile(p, 9)) if hasattr(az, 'hdi') else 1.0 | az.ess(np.tile(x, (3, 1)).T) if hasattr(az, 'ess') else 1.0 |
az.rhat(np.tile(x, (3, 1)).T) if hasattr(az, 'rhat') else 1.0
""",
    ),
    "corner": (
        """
import corner, matplotlib.pyplot as plt
""",
        """
corner.quantile(p, .5) | corner.quantile(p, .5, weights=q) | len(corner.corner(np.asarray(X)[:, :2], bins=3).axes)
""",
    ),
    "cma": (
        """
import cma
""",
        """
np.round(cma.fmin2(lambda t: ((t - V)**2).sum() , np.asarray(V), .1, {'verbose': -9, 'maxiter': 3, 'seed': 3})[0], 6)
| np.round(cma.fmin2(lambda t: ((t - u)**2).sum() , V, .1, {'verbose': -9, 'maxiter': 3, 'seed': 3})[0], 6) |
np.round(cma.fmin2(lambda t: ((t - V)**2).sum() , u, .1, {'verbose': -9, 'maxiter': 3, 'seed': 3})[0], 6)
""",
    ),
    "ot": (
        """
import ot
""",
        """
ot.dist(x, X) | ot.emd2(u / u.sum(), V / V.sum(), S) | ot.emd(u / u.sum(), V / V.sum(), S) | ot.sinkhorn(u / u.sum(),
V / V.sum(), S, 1.0) | ot.sinkhorn2(u / u.sum(), V / V.sum(), s, 1.0) | ot.wasserstein_1d(p, q) | ot.unif(4) |
ot.sliced_wasserstein_distance(x, X + .1, seed=0) | ot.bregman.sinkhorn_log(u / u.sum(), V / V.sum(), S, 1.0) |
ot.gaussian.bures_wasserstein_distance(u, V, s, S)
""",
    ),
    "trimesh": (
        """
import trimesh as tr
""",
        """
tr.Trimesh(x[:, :3], [[0, 1, 2], [3, 4, 5]]).area | tr.transformations.rotation_matrix(c, [0, 0, 1]) |
tr.transformations.unit_vector(u) | tr.points.PointCloud(x[:, :3]).bounds | tr.transform_points(x[:, :3], np.eye(4)) |
tr.util.unitize(x) | tr.geometry.plane_transform(u[:3], w[:3])
""",
    ),
    "numdifftools": (
        """
import numdifftools as nd
""",
        """
nd.Derivative(np.sin)(c) | nd.Gradient(lambda t: (t**3).sum())(u) | nd.Jacobian(lambda t: t**2)(u) | nd.Hessian(lambda
t: (t**3).sum())(u) | nd.Gradient(lambda t: (t * u).sum())(V)
""",
    ),
    "findiff": (
        """
import findiff as fd
""",
        """
fd.Diff(0, 1.0)(x) | fd.Diff(0, 1.0)(p) | (fd.Diff(0, 1.0) ** 2)(x) | (c * fd.Diff(0, 1.0))(X) if False else 1.0
""",
    ),
    "tensorly": (
        """
import tensorly as tl
""",
        """
tl.dot(s, s) | tl.unfold(x[None], 1) | tl.norm(x) | tl.tenalg.khatri_rao([x, x]) | tl.tenalg.mode_dot(x[None], S, 2) |
tl.partial_svd(s)[1] if hasattr(tl, 'partial_svd') else 1.0 | tl.kron(x, x) | tl.tensor(x)
""",
    ),
    "pymanopt": (
        """
import pymanopt as pm
from pymanopt import manifolds as mf
""",
        """
mf.Sphere(4).projection(V, u) | mf.Sphere(4).norm(V, u) | mf.Sphere(4).retraction(V / np.sqrt((V**2).sum()), u) |
mf.Stiefel(6, 4).projection(X, x) | mf.SymmetricPositiveDefinite(4).dist(S, s) |
mf.SymmetricPositiveDefinite(4).exp(S, s * .1) | mf.Grassmann(6, 4).projection(X, x) | mf.Euclidean(4).dist(u, w) |
mf.SymmetricPositiveDefinite(4).inner_product(S, s, s)
""",
    ),
    "geomstats": (
        """
import geomstats.backend as gs
from geomstats.geometry import hypersphere as hs, spd_matrices as sp
H = hs.Hypersphere(3)
""",
        """
H.projection(u) | H.metric.dist(V / np.sqrt((V**2).sum()), np.array([1., 0, 0, 0])) | H.metric.exp(u, np.array([1., 0,
0, 0])) | sp.SPDMatrices(4).belongs(s) | gs.sum(x) | gs.linalg.inv(s)
""",
    ),
    "pingouin": (
        """
import pingouin as pg
""",
        """
pg.ttest(p, q)['T'].iloc[0] | pg.compute_effsize(p, q) | pg.corr(p, q)['r'].iloc[0] | pg.normality(p)['W'].iloc[0] |
pg.mwu(p, q).iloc[0, 0] | pg.circ_mean(u)
""",
    ),
    "lifelines": (
        """
import lifelines as ll, lifelines.utils as lu
""",
        """
ll.KaplanMeierFitter().fit(p).survival_function_.to_numpy() | ll.ExponentialFitter().fit(p).lambda_ |
ll.NelsonAalenFitter().fit(p).cumulative_hazard_.to_numpy() | lu.concordance_index(p, q)
""",
    ),
    "quaternion": (
        """
import quaternion as qn
""",
        """
qn.as_float_array(qn.from_float_array(x)) | qn.as_rotation_matrix(qn.from_float_array(u)) |
qn.as_float_array(qn.quaternion(*u)) | qn.as_float_array(qn.from_rotation_vector(u[:3])) |
qn.rotate_vectors(qn.quaternion(1, 0, 0, 0), u[:3]) | qn.as_float_array(qn.from_rotation_matrix(s[:3, :3]))
""",
    ),
    "pykalman": (
        """
import pykalman as pk
""",
        """
pk.KalmanFilter(transition_matrices=[[1.]], observation_matrices=[[1.]]).filter(p)[0] |
pk.KalmanFilter(transition_matrices=[[1.]], observation_matrices=[[1.]]).smooth(p)[0]
""",
    ),
    "optuna": (
        """
import optuna
optuna.logging.set_verbosity(50)
def k(f):
    o = optuna.create_study(sampler=optuna.samplers.RandomSampler(0)); o.optimize(f, n_trials=3); return o.best_value
""",
        """
k(lambda t: (t.suggest_float('a', 0, 1) - V[0])**2) | k(lambda t: (t.suggest_float('a', 0, 1) - c)**2) | k(lambda t:
((u - t.suggest_float('a', 0, 1))**2).sum())
""",
    ),
    "bayes_opt": (
        """
import bayes_opt as bo
def k(f):
    o = bo.BayesianOptimization(f, {'a': (0, 1)}, random_state=0, verbose=0); o.maximize(2, 1); return np.round(o.max['target'], 5)
""",  # noqa: E501
        """
k(lambda a: -(a - V[0])**2) | k(lambda a: -(a - c)**2)
""",
    ),
    "pymoo": (
        """
import pymoo.indicators.hv as hv, pymoo.util.nds.non_dominated_sorting as nds
""",
        """
hv.HV(np.ones(4))(x) | nds.NonDominatedSorting().do(x)[0]
""",
    ),
    "dynesty": (
        """
import dynesty.utils as du
""",
        """
du.resample_equal(x, u[:1] if False else np.ones(6) / 6, np.random.default_rng(0)) | du.mean_and_cov(x, p)[0] |
du.quantile(p, [.5])
""",
    ),
    "igraph": (
        """
import igraph as ig
""",
        """
ig.Graph.Weighted_Adjacency(np.asarray(s)).vcount() | ig.Graph([(0, 1), (1, 2)], edge_attrs={'weight':
list(u[:2])}).distances(0, 2, weights='weight')[0][0] | ig.Graph([(0, 1), (1, 2)]).distances(0, 2,
weights=u[:2])[0][0] | ig.Graph.Weighted_Adjacency(s).vcount()
""",
    ),
    "umap": (
        """
import umap.distances as ud
""",
        """
ud.euclidean(np.asarray(u), np.asarray(w)) | ud.euclidean(u, w)
""",
    ),
    "healpy": (
        """
import healpy as hp
""",
        """
hp.ang2pix(4, u, w) | hp.ang2vec(u, w) | hp.rotator.angdist(u[:2], w[:2]) | hp.vec2ang(x[:, :3])[0]
""",
    ),
    "netCDF4": (
        """
import netCDF4 as nc
def k(v):
    d = nc.Dataset('a', 'w', memory=1); d.createDimension('a', 6); d.createDimension('b', 4); o = d.createVariable('v', 'f8', ('a', 'b')); o[:] = v; return np.asarray(o[:])
""",  # noqa: E501
        """
k(x) | k(c)
""",
    ),
    "tables": (
        """
import tables as tb
def k(v):
    f = tb.open_file('a.h5', 'w', driver='H5FD_CORE', driver_core_backing_store=0); r = f.create_array('/', 'a', v).read(); f.close(); return r
""",  # noqa: E501
        """
k(x) | k(u)
""",
    ),
    "duckdb": (
        """
import duckdb, pandas as pd
""",
        """
duckdb.query_df(pd.DataFrame({'a': p}), 't', 'select sum(a) from t').fetchall() if hasattr(duckdb, 'query_df') else
1.0 | duckdb.execute('select ?', [c]).fetchall()
""",
    ),
    "plotly": (
        """
import plotly.graph_objects as go, plotly.express as px, json
""",
        """
json.loads(go.Figure(go.Scatter(x=p, y=q)).to_json())['data'][0]['type'] | np.asarray(go.Scatter(x=p, y=q).y, float) |
np.asarray(go.Heatmap(z=x).z, float) | px.line(x=N, y=p).data[0].y | px.imshow(x).data[0].z |
go.Figure(go.Histogram(x=p)).to_json() | go.Figure(go.Scatter(y=[c, c])).to_json() | go.Figure(go.Scatter(y=p,
marker_size=q)).to_json()
""",
    ),
    "bokeh": (
        """
import bokeh.plotting as bp, bokeh.models as bm, bokeh.core.json_encoder as je
""",
        """
bp.figure().line(p, q).data_source.data['x'] | bp.figure().scatter(p, q, size=c * 9).glyph.size |
bm.ColumnDataSource({'a': p}).data['a'] | bm.Range1d(c, 2).start | len(je.serialize_json({'a': np.asarray(u)})) |
bp.figure().image([x], 0, 0, 1, 1).data_source.data['image'][0]
""",
    ),
    "altair": (
        """
import altair as alt, pandas as pd, json
""",
        """
json.loads(alt.Chart(pd.DataFrame({'a': p})).mark_point().encode(x='a').to_json())['mark']['type'] |
alt.value(c)['value'] if True else 1.0 | len(json.loads(alt.Chart(alt.Data(values=[{'a': float(v)} for v in
V])).mark_point().to_json())['data']['values'])
""",
    ),
    "plotnine": (
        """
import plotnine as p9, pandas as pd
""",
        """
len(p9.ggplot(pd.DataFrame({'a': p, 'b': q}), p9.aes('a', 'b')).data) | (p9.ggplot(pd.DataFrame({'a': X[:, 0]}),
p9.aes('a')) + p9.geom_vline(xintercept=c)).draw().axes[0].lines is not None
""",
    ),
    "pandera": (
        """
import pandera.pandas as pa, pandas as pd
""",
        """
pa.DataFrameSchema({'a': pa.Column(float)}).validate(pd.DataFrame({'a': p}))
""",
    ),
    "pytensor": (
        """
import pytensor, pytensor.tensor as pt
a = pt.dvector('a')
""",
        """
pt.constant(u).eval() | (pt.constant(V) * u).eval() | (u * pt.constant(V)).eval() | (a * 2).eval({a: u}) |
pt.as_tensor(x).eval()
""",
    ),
    "gymnasium": (
        """
import gymnasium as gy
B = gy.spaces.Box(0, 1, (4,), np.float64)
""",
        """
B.contains(np.asarray(u)) | B.contains(u) | gy.spaces.flatten(B, u) | gy.spaces.Box(0, c, (2,)).high
""",
    ),
    "toolz": (
        """
import toolz as tz
""",
        """
tz.pipe(x, np.sin, np.sum) | tz.reduce(lambda a, b: a + b, list(x)) | tz.compose(np.sum, np.exp)(x) |
list(tz.concat([u, w]))[0] | tz.accumulate(lambda a, b: a * b, u) and tz.last(tz.accumulate(lambda a, b: a * b, u))
""",
    ),
    "more_itertools": (
        """
import more_itertools as mi
""",
        """
mi.dotproduct(u, w) | list(mi.pairwise(u))[0] | mi.convolve(u, [1., 2.]) and list(mi.convolve(u, [1., 2.])) |
list(mi.chunked(u, 2))[0] | mi.minmax(u) | mi.polynomial_eval(u, 2.0) | mi.nth(u, 1)
""",
    ),
    "statistics": (
        """
import statistics as sa
""",
        """
sa.mean(np.asarray(u).tolist()) | sa.fmean(u) | sa.mean(u) | sa.stdev(u) | sa.median(u) | sa.correlation(u, w) |
sa.linear_regression(u, w).slope | sa.variance(list(u)) | sa.harmonic_mean(u) | sa.geometric_mean(u) | sa.quantiles(u)
""",
    ),
    "math": (
        """
import math, cmath, random, itertools, functools, operator
""",
        """
math.sin(c) | math.hypot(c, c) | math.fsum(u) | math.dist(u, w) | math.prod(u) | math.isclose(c, c) | math.floor(c) |
math.sumprod(list(u), list(w)) if hasattr(math, 'sumprod') else 1.0 | math.sqrt(c) | math.exp(c) | math.atan2(c, c) |
cmath.exp(c) | math.gamma(c) | sum(u) | max(u) | min(u) | sorted(u) | abs(c) | round(c, 2) | pow(c, 2) | divmod(c, .3)
| functools.reduce(operator.add, u) | list(itertools.accumulate(u)) | [a * b for a, b in zip(u, w)] | float(c) |
complex(c) | int(c * 9) | bool(c) | f'{c:.3f}' | '%.3f' % c | '{:5.2f}'.format(c) | math.ceil(c) | math.trunc(c) |
operator.index(np.argmax(u)) | range(4)[np.argmax(u)] | random.Random(0).choices(range(4), weights=u) |
random.Random(0).gauss(c, 1.0) | math.ldexp(c, 2) | math.log(c) | math.log1p(c) | math.erf(c) | math.degrees(c)
""",
    ),
    "json": (
        """
import json, csv, io, array, struct, pprint, decimal, fractions, copy, dataclasses, collections
""",
        """
json.dumps(np.asarray(u).tolist()) | json.dumps(c, default=float) | array.array('d', u) | struct.pack('d', c) |
csv.writer(io.StringIO()).writerow([c, c]) > 0 | decimal.Decimal(float(c)) | float(fractions.Fraction(float(c))) |
copy.copy(x) | copy.deepcopy(x) | collections.Counter(np.asarray(L).tolist())[0] | dict(a=c)['a'] |
collections.deque(u, 2)[0] | bytes(memoryview(np.asarray(u)))[:8]
""",
    ),
    "nlopt": (
        """
import nlopt
def k(f):
    o = nlopt.opt(nlopt.LN_COBYLA, 2); o.set_min_objective(lambda t, g: f(t)); o.set_maxeval(50); return np.round(o.optimize([.5, .5]), 2)
""",  # noqa: E501
        """
k(lambda t: float(((t - V[:2])**2).sum())) | k(lambda t: ((t - u[:2])**2).sum())
""",
    ),
    "hypothesis": (
        """
import hypothesis.extra.array_api as ha, hypothesis.strategies as hs, tinygrad_math as tm, hypothesis
""",
        """
ha.make_strategies_namespace(tm).arrays(tm.float64, (2,)).wrapped_strategy is not None
""",
    ),
}
