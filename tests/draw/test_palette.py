"""The palette and the typeface: told apart by everybody, readable, free to pass on."""

from __future__ import annotations

import base64
import re
from importlib.resources import files
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.colors import to_rgb

from analysis.draw import language, style

# Machado, Oliveira and Fernandes (2009), IEEE TVCG 15(6), severity 1.0, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
# Ottosson (2020), Oklab: near 0.02 is a just noticeable difference
LMS = np.array(
    [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.6806995, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]
)
LAB = np.array(
    [[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.4285922, 0.4505937], [0.0259040, 0.7827718, -0.8086758]]
)


def seen(colour: str, sight: str) -> np.ndarray:
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)])
    return LAB @ np.cbrt(LMS @ np.clip(SIGHT[sight] @ linear, 0, 1))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", [style.SERIES, tuple(dict.fromkeys(style.MEANING.values()))])
def test_colours_are_told_apart_by_every_sight(sight: str, colours: tuple[str, ...]) -> None:
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) >= 0.1, (one, other)


def test_text_stands_out_from_the_page_and_lines_do_too() -> None:
    assert style.contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert style.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # the known grey that just fails
    for text in (style.INK, style.MUTED):
        assert style.contrast(text, style.BACKGROUND) >= 4.5
    for line in style.SERIES:
        assert style.contrast(line, style.BACKGROUND) >= 3


def test_text_stands_out_from_whatever_it_is_written_on() -> None:
    greys = [f"#{level:02x}{level:02x}{level:02x}" for level in range(256)]
    for fill in (*style.SERIES, *style.MEANING.values(), *greys):
        assert style.contrast(style.text_on(fill), fill) >= 4.5


@pytest.mark.parametrize(("name", "weight"), [("Inter-Regular", 400), ("Inter-SemiBold", 600)])
def test_the_typeface_of_the_charts_is_the_one_of_the_page(name: str, weight: int) -> None:
    folder = files("analysis") / "fonts"
    with (folder / f"{name}.ttf").open("rb") as ttf, (folder / f"{name}.woff2").open("rb") as woff2:
        chart, page = TTFont(ttf), TTFont(woff2)
        assert chart["OS/2"].usWeightClass == page["OS/2"].usWeightClass == weight
        assert chart.getBestCmap() == page.getBestCmap()
        needed = "ÄÖÜäöüß„“”–…€%+−·é0123456789\u00a0\u2212"
        assert {ord(sign) for sign in needed} <= set(chart.getBestCmap())


def test_the_licence_of_the_typeface_is_beside_it_and_reserves_no_name() -> None:
    licence = (files("analysis") / "fonts" / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    holder = licence.split("\n", 1)[0]
    assert holder.startswith("Copyright 2016 The Inter Project Authors")
    assert "Reserved Font Name" not in holder


def test_font_faces_hold_their_fonts() -> None:
    css = style.font_face_css()
    assert css.count("@font-face") == 3
    assert not re.search(r"url\((?!data:font/woff2;base64,)", css)
    first = re.search(r"base64,([A-Za-z0-9+/=]+)", css)
    assert first is not None
    assert base64.b64decode(first[1]) == (files("analysis") / "fonts" / "Inter-Regular.woff2").read_bytes()


def test_one_call_sets_reader_and_theme() -> None:
    with mpl.rc_context():
        style.use("en", "USD")
        assert language.reader() == language.Reader("en", "USD")
        assert mpl.rcParams["font.family"][0] == "Inter"
