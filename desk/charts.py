"""Charts as SVG pictures, drawn here: no script, nothing from elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pygal
from pygal.style import Style

# pygal puts a finder for its map plugins, in an interface that Python 3.12 has dropped, before every later import of the program.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not pygal.PluginImportFixer]

LINES = {"days": (1, 3, 4, 5), "first_answers": (2, 3), "officer_waits": (2, 3)}
"""Charts over days: the columns that they draw."""
CHARTS = (*LINES, "hours", "topics")
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
"""A picture brings its own style and nothing else."""
COLORS = ("#14478f", "#1d6b3a", "#9b5a00", "#9b1c2c", "#5b3a8c")
"""Each at least 4.5 to 1 against white; lines differ in their dashes too."""
DASHES = ("", "8,3", "2,3", "10,3,2,3", "5,5")
MOST_LABELS = 8


def draw(name: str, heading: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """The rows of a table as a chart: its first column along the axis, every other one a series."""
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="#1b2333",
        foreground_strong="#1b2333",
        foreground_subtle="#4c5566",
        guide_stroke_color="#d6d0c2",
        major_guide_stroke_color="#d6d0c2",
        font_family="sans-serif",
        colors=COLORS,
        opacity="1",
        label_font_size=15,
        major_label_font_size=15,
        legend_font_size=16,
    )
    options = {
        "style": style,
        "js": (),
        "width": 960,
        "height": 380,
        "legend_at_bottom": True,
        "margin": 12,
        "no_data_text": "–",
        "truncate_label": 40,
    }
    if name in LINES:
        chart = pygal.Line(**options, dots_size=2.5, truncate_legend=-1, show_minor_x_labels=False)
        columns = list(LINES[name])
    elif name == "hours":
        chart = pygal.Bar(**options, show_legend=False, show_minor_x_labels=False)
        columns = [1]
    else:
        chart = pygal.HorizontalBar(**options, truncate_legend=-1)
        columns = [1, 2]
        rows = list(reversed(rows))
    chart.x_labels = [str(row[0]) for row in rows]
    if name != "topics":
        step = max(1, -(-len(rows) // MOST_LABELS))
        chart.x_labels_major = [str(row[0]) for row in rows[::step]]
    for column, dash in zip(columns, DASHES, strict=False):
        stroke = {"width": 3, "dasharray": dash} if dash else {"width": 3}
        chart.add(heading[column], [row[column] for row in rows], stroke_style=stroke)
    chart.add_xml_filter(_without_scripts)
    return bytes(chart.render())


def _without_scripts(picture: Any) -> Any:
    for parent in list(picture.iter()):
        for script in [child for child in parent if str(child.tag).endswith("script")]:
            parent.remove(script)
    return picture
