"""sin and cos on vectors.

x = k pi / 2 + r, |r| <= pi / 4. Up to LARGE, pi / 2 is taken in three floats (Cody and Waite 1980, ch. 8): x - k first
has no error in a fused multiply-add, and that of k second is known and kept. Above, the digits of 2 / pi that matter
are multiplied with the integer that x is times a power of two, in whole numbers (Payne and Hanek 1983, Radian reduction
for trigonometric functions, SIGNUM Newsletter 18), for those blocks only that hold such an x. sin and cos of r are
r + r^3 S(r^2) and 1 - r^2 / 2 + r^4 C(r^2).

In single precision r is found in double, and nothing more has to be kept.
"""

from __future__ import annotations

import math

from llvmlite import ir

from .coefficients import DIGITS
from .lanes import FORMATS, Lanes, Vector

HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
TWO_OVER_PI = 0.6366197723675814
LARGE = 2.0**28
HALF_PLACE = {64: 2.0**-27, 32: 2.0**-12}  # sin(x) is x below
DOUBLE, WORD, LONG = ir.DoubleType(), ir.IntType(64), ir.IntType(128)


def sin(lanes: Lanes, x: Vector) -> Vector:
    """NaN at infinities."""
    turns, r, lacking = _reduced(lanes, x)
    return lanes.where(x.size() < HALF_PLACE[lanes.form.bits], x, _quarter(lanes, x, turns, r, lacking))


def cos(lanes: Lanes, x: Vector) -> Vector:
    """sin a quarter of a turn on; NaN at infinities."""
    turns, r, lacking = _reduced(lanes, x)
    return _quarter(lanes, x, turns.plus(1), r, lacking)


def _quarter(lanes: Lanes, x: Vector, turns: Vector, r: Vector, lacking: Vector | None) -> Vector:
    """sin(turns pi / 2 + r + lacking)."""
    square = r * r
    half = 0.5 * square
    low_sin = r * square * lanes.polynomial(square, lanes.form.table["SIN"][0])
    low_cos = square * square * lanes.polynomial(square, lanes.form.table["COS"][0])
    if lacking is not None:
        low_sin = lanes.fma(lacking, 1.0 - half, low_sin)
        low_cos = lanes.fma(-lacking, r, low_cos)
    first = 1.0 - half
    sine, cosine = r + low_sin, first + (((1.0 - first) - half) + low_cos)
    y = lanes.where(turns.is_odd(), cosine, sine)
    sign = (turns >> 1) << (lanes.form.bits - 1)
    return lanes.where(x.size() < math.inf, (y.bits() ^ sign).float_of_bits(), math.nan)


def _reduced(lanes: Lanes, x: Vector) -> tuple[Vector, Vector, Vector | None]:
    """k, of which the last two bits are right, and x - k pi / 2 as a float and what it lacks."""
    if lanes.form.bits == 64:
        return _reduced_double(lanes, x)
    b = lanes.builder
    wide = Lanes(b, FORMATS["float64"], lanes.count)
    turns, r, _ = _reduced_double(wide, Vector(wide, b.fpext(x.value, wide.reals)))
    return Vector(lanes, b.trunc(turns.value, lanes.wholes)), Vector(lanes, b.fptrunc(r.value, lanes.reals)), None


def _reduced_double(lanes: Lanes, x: Vector) -> tuple[Vector, Vector, Vector]:
    shift = 1.5 * 2.0**lanes.form.digits
    shifted = lanes.fma(x, TWO_OVER_PI, shift)
    k = shifted - shift
    first, second, third = HALF_PI
    exact = lanes.fma(-k, first, x)
    part = k * second
    r = exact - part
    lacking = lanes.fma(-k, third, ((exact - r) - part) - lanes.fma(k, second, -part))
    near = x.size() < LARGE
    found = shifted.bits().value, r.value, lacking.value

    b = lanes.builder
    places = [lanes.room(kind) for kind in (lanes.wholes, lanes.reals, lanes.reals)]
    given = lanes.room(lanes.reals)
    before = b.block
    far, each, after = (b.append_basic_block(name) for name in ("far", "each_far", "reduced"))
    b.cbranch(lanes.any(Vector(lanes, b.not_(near.value))), far, after)
    b.position_at_end(far)
    b.store(x.value, given)
    b.branch(each)
    b.position_at_end(each)
    lane = b.phi(WORD)
    lane.add_incoming(WORD(0), far)
    parts = [b.gep(place, [lane], source_etype=WORD) for place in (given, *places)]  # of 8 bytes, all of them
    b.call(_payne_hanek(b.module), [b.load(parts[0], typ=DOUBLE), *parts[1:]])
    onward = b.add(lane, WORD(1))
    lane.add_incoming(onward, each)
    last = b.append_basic_block("all_far")
    b.cbranch(b.icmp_unsigned("<", onward, WORD(lanes.count)), each, last)
    b.position_at_end(last)
    kinds = (lanes.wholes, lanes.reals, lanes.reals)
    chosen = [b.select(near.value, v, b.load(p, typ=t)) for v, p, t in zip(found, places, kinds, strict=True)]
    b.branch(after)
    b.position_at_end(after)
    merged = []
    for kind, short, long in zip(kinds, found, chosen, strict=True):
        phi = b.phi(kind)
        phi.add_incoming(short, before)
        phi.add_incoming(long, last)
        merged.append(Vector(lanes, phi))
    return merged[0], merged[1], merged[2]


def _payne_hanek(module: ir.Module) -> ir.Function:
    """`reduce(x, turns *, r *, lacking *)` for one |x| >= 2^28; what it writes for no number is of no use.

    |x| = m 2^e with a whole m of 53 bits. Digits of 2 / pi above 2^(2 - e) make whole turns; the 192 from there on, f,
    give |x| 2 / pi = m f 2^-190 modulo 4, whose first two bits are the quarter and the rest a fraction, to 2^-137.
    """
    if "reduce" in module.globals:
        return module.globals["reduce"]
    kind = ir.FunctionType(ir.VoidType(), [DOUBLE, *[ir.PointerType()] * 3])
    function = ir.Function(module, kind, "reduce")
    function.linkage = "internal"
    row = ir.ArrayType(WORD, len(DIGITS))
    digits = ir.GlobalVariable(module, row, "digits")
    digits.initializer, digits.global_constant, digits.linkage = ir.Constant(row, list(DIGITS)), True, "internal"
    digits.type = ir.PointerType()
    b = ir.IRBuilder(function.append_basic_block("entry"))
    x, turns, r, lacking = function.args
    bits = b.bitcast(x, WORD)
    field = b.and_(b.lshr(bits, WORD(52)), WORD(0x7FF))
    whole = b.or_(b.and_(bits, WORD((1 << 52) - 1)), WORD(1 << 52))
    place = b.sub(field, WORD(1075 - 62))  # e + 62: 63 zeros stand in front of the point
    place = b.select(b.icmp_signed("<", place, WORD(0)), WORD(0), place)  # a small x beside a large one
    index, within = b.lshr(place, WORD(6)), b.and_(place, WORD(63))
    words = [b.load(b.gep(digits, [b.add(index, WORD(k))], source_etype=WORD), typ=WORD) for k in range(4)]
    f = [_joined(b, words[k], words[k + 1], within) for k in range(3)]
    low = b.mul(b.zext(whole, LONG), b.zext(f[2], LONG))
    middle = b.add(b.mul(b.zext(whole, LONG), b.zext(f[1], LONG)), b.lshr(low, LONG(64)))
    top = b.add(b.mul(whole, f[0]), b.trunc(b.lshr(middle, LONG(64)), WORD))
    second, third = b.trunc(middle, WORD), b.trunc(low, WORD)
    quarter = b.lshr(b.add(top, WORD(1 << 61)), WORD(62))
    head, tail = _joined(b, top, second, WORD(2)), _joined(b, second, third, WORD(2))

    def real(v: ir.Value, power: int) -> ir.Value:
        return b.fmul(b.sitofp(v, DOUBLE), DOUBLE(2.0**power))

    mask = WORD((1 << 32) - 1)
    a, c = real(b.ashr(head, WORD(32)), -32), real(b.and_(head, mask), -64)
    rest = b.fadd(real(b.lshr(tail, WORD(32)), -96), real(b.and_(tail, mask), -128))
    upper, lower = _two_sum(b, a, c)
    h, remainder = _two_sum(b, upper, b.fadd(lower, rest))
    fma = module.globals.get("llvm.fma.f64") or ir.Function(
        module, ir.FunctionType(DOUBLE, [DOUBLE] * 3), "llvm.fma.f64"
    )
    first, second_half = DOUBLE(HALF_PI[0]), DOUBLE(HALF_PI[1])
    product = b.fmul(h, first)
    error = b.call(fma, [h, first, b.fneg(product)])
    beside = b.fadd(b.fmul(h, second_half), b.fmul(remainder, first))
    negative = b.icmp_signed("<", bits, WORD(0))
    for value, address in ((product, r), (b.fadd(error, beside), lacking)):
        b.store(b.select(negative, b.fneg(value), value), address)
    b.store(b.select(negative, b.neg(quarter), quarter), turns)
    b.ret_void()
    return function


def _joined(b: ir.IRBuilder, first: ir.Value, second: ir.Value, within: ir.Value) -> ir.Value:
    """64 bits of the 128 of two words, from this place on."""
    behind = b.lshr(b.lshr(second, WORD(1)), b.sub(WORD(63), within))
    return b.or_(b.shl(first, within), behind)


def _two_sum(b: ir.IRBuilder, a: ir.Value, c: ir.Value) -> tuple[ir.Value, ir.Value]:
    """a + c as rounded, and what is lost, for |a| >= |c| or a = 0."""
    total = b.fadd(a, c)
    return total, b.fsub(c, b.fsub(total, a))
