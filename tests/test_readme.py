"""The README does what it says: two commands, and every block of code runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_set_up_is_two_commands_each_on_a_line():
    section = README.split("## Set-up")[1].split("\n## ")[0]
    commands = [line for line in section.splitlines() if line.startswith("    ")]
    assert len(commands) == 2
    assert all("python3 -m venv" in c for c in commands)


def test_the_blocks_run_from_top_to_bottom(capsys):
    namespace = {}
    for k, block in enumerate(BLOCKS):
        exec(compile(block, f"README block {k + 1}", "exec"), namespace)


def test_the_picture_is_there():
    for name in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parent.parent / name).exists(), name


@pytest.mark.parametrize("word", ["TODO", "SPEED_TABLE"])
def test_nothing_is_left_to_fill_in(word):
    assert word not in README
