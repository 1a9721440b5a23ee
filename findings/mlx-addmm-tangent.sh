#!/usr/bin/env bash
# MLX 0.32.4 on the CPU: forward mode forgets the factors of addmm, alpha A B + beta C: the tangent is that of A B + C, while reverse mode
# keeps them, so that <g, J t> = <J' g, t> fails. And the remainder of divmod has the slope 0, where remainder and %
# have 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q "mlx[cpu]==0.32.4"
cat > "$folder/program.py" <<'PROGRAM'
import mlx.core as mx

mx.set_default_device(mx.cpu)
c, a, b = (mx.array([[1.0, 2.0], [3.0, 4.0]]) + k for k in range(3))
tangents = [mx.ones((2, 2))] * 3
for alpha, beta in ((1.0, 1.0), (2.0, 3.0)):
    total = lambda c, a, b: mx.addmm(c, a, b, alpha, beta).sum()  # noqa: B023, E731
    reverse = sum(float(g.sum()) for g in mx.grad(total, argnums=(0, 1, 2))(c, a, b))
    forward = float(mx.jvp(total, [c, a, b], tangents)[1][0])
    print(f"addmm, alpha {alpha}, beta {beta}: along ones by reverse mode {reverse:g}, by forward mode {forward:g}")
x = mx.array(5.5)
for name, f in (("divmod(x, 1.5)[1]", lambda x: mx.divmod(x, mx.array(1.5))[1]), ("remainder(x, 1.5)", lambda x: mx.remainder(x, 1.5))):
    print(name, float(f(x)), "slope", float(mx.grad(f)(x)))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
addmm, alpha 1.0, beta 1.0: along ones by reverse mode 68, by forward mode 68
addmm, alpha 2.0, beta 3.0: along ones by reverse mode 140, by forward mode 68
divmod(x, 1.5)[1] 1.0 slope 0.0
remainder(x, 1.5) 1.0 slope 1.0
EXPECTED
echo "as described"
