#!/usr/bin/env bash
# netCDF4 1.7.5 and xarray 2026.9.0: packed numbers, int16 with a scale_factor as data of weather and climate are kept, have a range that nobody checks. With 0.01, a temperature of 350.2 is stored as 35020, wraps around and is read
# back as -305.16; by xarray's encoding and by netCDF4's own scaling alike, without a warning. So does 40000.0 in a plain int16: it comes back as -25536. By netCDF4 a nan, too, becomes a number, a measured 0,
# with NumPy's warning of a cast.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q netCDF4==1.7.5.1.post1 xarray==2026.9.0 numpy==2.4.6 pandas==2.3.3
cat > "$folder/program.py" <<'PROGRAM'
import sys
import warnings

import netCDF4
import numpy as np
import xarray

folder = sys.argv[1]
packing = {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768}


def by_xarray(values):
    xarray.Dataset({"t": ("x", values)}).to_netcdf(f"{folder}/packed.nc", encoding={"t": packing})
    with xarray.open_dataset(f"{folder}/packed.nc") as file:
        return file.t.values


def by_netcdf4(values, scale=0.01):
    with netCDF4.Dataset(f"{folder}/packed.nc", "w") as file:
        file.createDimension("x", len(values))
        variable = file.createVariable("t", "i2", ("x",))
        variable.scale_factor = scale
        variable[:] = values
    with netCDF4.Dataset(f"{folder}/packed.nc") as file:
        return file["t"][:]


measured = np.array([21.5, 327.67, 350.2, 700.0, -350.2])
cases = {
    "xarray": (by_xarray, measured),
    "netCDF4": (by_netcdf4, measured),
    "xarray, a gap": (by_xarray, np.array([21.5, np.nan])),
    "netCDF4, a gap": (by_netcdf4, np.array([21.5, np.nan])),
    "netCDF4, scale 1": (lambda values: by_netcdf4(values, 1.0), np.array([1.0, 40000.0])),
}
for name, (write_and_read, values) in cases.items():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        back = write_and_read(values)
    print(f"{name}: written {values.tolist()}, read {np.round(back, 2).tolist()}, warnings: {[str(w.message) for w in heard]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
xarray: written [21.5, 327.67, 350.2, 700.0, -350.2], read [21.5, 327.67, -305.16, 44.64, 305.16], warnings: []
netCDF4: written [21.5, 327.67, 350.2, 700.0, -350.2], read [21.5, 327.67, -305.16, 44.64, 305.16], warnings: []
xarray, a gap: written [21.5, nan], read [21.5, nan], warnings: []
netCDF4, a gap: written [21.5, nan], read [21.5, 0.0], warnings: ['invalid value encountered in cast']
netCDF4, scale 1: written [1.0, 40000.0], read [1, -25536], warnings: []
EXPECTED
echo "as described"
