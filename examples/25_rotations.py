"""Rx, Ry, Rz: rotations of space about its axes, their laws and their derivatives."""

import math

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import rotation_x, rotation_y, rotation_z

AXES = {"x": rotation_x, "y": rotation_y, "z": rotation_z}


def main():
    out = {}
    title("A quarter turn about each axis")
    out["x"] = beside("Rx e2", "e3", rotation_x(math.pi / 2) @ [0.0, 1.0, 0.0])
    out["y"] = beside("Ry e3", "e1", rotation_y(math.pi / 2) @ [0.0, 0.0, 1.0])
    out["z"] = beside("Rz e1", "e2", rotation_z(math.pi / 2) @ [1.0, 0.0, 0.0])

    title("R'R = I, det R = 1, and R(α) R(β) = R(α + β)")
    for name, turn in AXES.items():
        r = turn(0.7)
        laws = [
            tm.abs(r.T @ r - np.eye(3)).max(),
            tm.linalg.det(r) - 1,
            tm.abs(turn(0.3) @ turn(0.4) - r).max(),
        ]
        out[f"laws {name}"] = beside(f"R{name}: what is missing from each", "0, 0, 0", [law.item() for law in laws])
    swap = rotation_x(0.5) @ rotation_y(0.5) - rotation_y(0.5) @ rotation_x(0.5)
    out["order"] = beside("Rx Ry - Ry Rx, largest entry", "not 0", tm.abs(swap).max())

    title("dR/dθ at 0 is the generator: a cross product with the axis")
    axis = {"x": [1.0, 0.0, 0.0], "y": [0.0, 1.0, 0.0], "z": [0.0, 0.0, 1.0]}
    v = tm.tensor([1.0, 2.0, 3.0])
    for name, turn in AXES.items():
        law = tm.linalg.cross(axis[name], v)
        out[f"generator {name}"] = beside(f"dR{name}/dθ (1, 2, 3)", law.tolist(), tm.jacobian(turn)(0.0) @ v)
    return out


if __name__ == "__main__":
    main()
