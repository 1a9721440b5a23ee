#!/usr/bin/env bash
# pandas 2.3.3: DataFrame.where and DataFrame.mask with a JAX array for `other` take its rows for columns. Of a frame with one column
# they fill in the first element everywhere, without a word; of other frames that are not square they raise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pandas==2.3.3 numpy==2.4.6 jax==0.8.1 jaxlib==0.8.1
cat > "$folder/program.py" <<'PROGRAM'
import jax.numpy as jnp
import numpy as np
import pandas as pd

for shape in ((3, 1), (3, 3), (3, 2)):
    frame = pd.DataFrame(np.zeros(shape))
    other = np.arange(1.0, frame.size + 1).reshape(shape)
    print(shape, frame.where(frame > 0, other).values.tolist())
    try:
        print(shape, frame.where(frame > 0, jnp.asarray(other)).values.tolist())
    except ValueError as error:
        print(shape, error)
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
(3, 1) [[1.0], [2.0], [3.0]]
(3, 1) [[1.0], [1.0], [1.0]]
(3, 3) [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
(3, 3) [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
(3, 2) [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
(3, 2) operands could not be broadcast together with shapes (3,2) (3,2) (2,2) 
EXPECTED
echo "as described"
