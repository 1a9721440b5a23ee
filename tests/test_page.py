"""The page of its own: its policy allows its two blocks and nothing else; names and values stay in their places."""

import base64
import hashlib
import json
import re

import pytest

import tinygrad_math as tm
from tinygrad_math.viz.page import page, text


def test_the_policy_allows_the_blocks_of_the_page_by_their_hashes_and_nothing_else():
    markup = page("t", "<p>hello</p>", style="p { color: red }\r\n", script="console.log('<p>')\n")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', markup)[1]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (block,) = re.findall(f"<{tag}>(.*?)</{tag}>", markup, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_on_the_page_asks_for_a_network():
    markup = page("t", "", script="1")
    assert "http://" not in markup
    assert "https://" not in markup
    assert "@import" not in markup


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "<!--", "\u2028", "\udc80", '"', "a\nb", "{0}"])
def test_names_in_title_text_and_data_stay_data(name):
    markup = page(name, f"<p>{text(name)}</p>", data={"name": name, name: 1})
    assert markup.count("<script") == markup.count("</script") == 1
    assert "alert(1)</script>" not in markup.lower().replace(" ", "")
    found = re.search(r'id="data">(.*?)</script>', markup, re.DOTALL)[1]
    assert json.loads(found) == {"name": name, name: 1}
    markup.encode()


@pytest.mark.parametrize("block", [{"style": "</style >"}, {"script": "x = '</SCRIPT>'"}, {"script": "<!-- "}])
def test_a_block_that_would_end_itself_is_refused(block):
    with pytest.raises(tm.ArgumentError, match="end its block"):
        page("t", "", **block)


def test_marks_that_turn_the_reading_direction_are_shown_as_what_they_are():
    assert text("abc\u202edef\u200f\x00") == "abc\\u202edef\\u200f\\x00"
    assert text("αβ ü 漢") == "αβ ü 漢"
