#!/usr/bin/env bash
# MLX 0.32.4 on the CPU: the second derivative of a complex absolute value is 0, since its direction counts as constant: the Hessian of |a + ib|^2 by abs(z)**2 is 2 d d' in place of 2 I
# (d the direction of z), and the energy of a spectrum inherits it, while re^2 + im^2 gives it right. And the gradient of
# power of complex numbers is the conjugate of what multiply gives for the same square.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q "mlx[cpu]==0.32.4"
cat > "$folder/program.py" <<'PROGRAM'
import mlx.core as mx

mx.set_default_device(mx.cpu)
x = mx.array([3.0, 4.0])
i = mx.array(1j)


def hessian(f):
    rows = [mx.grad(lambda x, k=k: mx.grad(f)(x)[k])(x) for k in range(2)]
    return [[round(float(v), 3) for v in row] for row in rows]


print("abs(z)**2   ", hessian(lambda x: mx.abs(x[0] + i * x[1]) ** 2))
print("re^2 + im^2 ", hessian(lambda x: (x[0] + i * x[1]).real ** 2 + (x[0] + i * x[1]).imag ** 2))
for name, square in (("z * z", lambda z: z * z), ("power(z, 2)", lambda z: mx.power(z, mx.array(2 + 0j)))):
    gradient = mx.grad(lambda x, square=square: square(x[0] + i * x[1]).real)(x)
    print("gradient of the real part of", name, [round(float(v), 2) for v in gradient])
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
abs(z)**2    [[0.72, 0.96], [0.96, 1.28]]
re^2 + im^2  [[2.0, 0.0], [0.0, 2.0]]
gradient of the real part of z * z [6.0, -8.0]
gradient of the real part of power(z, 2) [6.0, 8.0]
EXPECTED
echo "as described"
