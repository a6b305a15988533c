"""Charts as SVG, drawn on the server: they need no script, print, and can be read as text.

Bars stand at percentages across and at pixels up and down, so a chart fills any width without distorting its corners or
its letters. What must stretch (lines, areas) is drawn in an inner drawing of 100 by `height` whose strokes do not scale.
Colours are classes of app.css. Every chart also gives its figures as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Text = Callable[[int], str]
TOP = 12           # room above the highest gridline, for its label
BAR = 0.56         # of a column's width
ROUND = 2          # pixels


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: a name, a CSS class, and one integer per label. Negative values hang below zero."""

    name: str
    css: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Table:
    """The figures behind a chart, as text."""

    caption: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """An axis to stand beside the drawing, and the table behind it. `name` is unique on its page."""

    name: str
    axis: Markup
    drawing: Markup
    table: Table
    legend: list[Series]


def ticks(low: int, high: int, most: int = 4) -> list[int]:
    """Round numbers from at or below `low` to at or above `high`, zero among them, in at most `most` steps (or one more)."""
    low, high = min(low, 0), max(high, 0)
    span = max(high - low, 1)
    step = 1
    while span > step * most:
        digit = int(str(step)[0])
        step = step * 2 if digit == 1 else step // 2 * 5 if digit == 2 else step * 2
    first, last = low // step, -(-high // step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True, slots=True)
class Scale:
    """From amounts to pixels from the top."""

    marks: list[int]
    height: int

    def y(self, value: int) -> float:
        low, high = self.marks[0], self.marks[-1]
        return round(TOP + (self.height - TOP) * (high - value) / (high - low), 1)


def stacked_bars(
    name: str, title: str, labels: Sequence[str], series: Sequence[Series], money: Text, axis: Text, *,
    height: int = 168, long_labels: Sequence[str] | None = None, total: str | None = None,
) -> Chart:  # fmt: skip
    """One bar per label, stacked up from zero and hanging down from it."""
    above = [sum(max(s.values[i], 0) for s in series) for i in range(len(labels))]
    below = [sum(min(s.values[i], 0) for s in series) for i in range(len(labels))]
    scale = Scale(ticks(min(below, default=0), max(above, default=0)), height)
    width = 100 / len(labels)
    columns = []
    for place, label in enumerate(labels):
        up = down = 0
        bars = []
        for each in series:
            value = each.values[place]
            if not value:
                continue
            start = up if value > 0 else down
            end = start + value
            up, down = (end, down) if value > 0 else (up, end)
            top, bottom = scale.y(max(start, end)), scale.y(min(start, end))
            bars.append(_bar(place, width, top, max(bottom - top, 1), each.css))
        columns.append(_column(place, width, height, bars, label))
    table = _table(title, long_labels or labels, series, money, total)
    drawing = _drawing(name, title, table, height, [_grid(scale), *columns])
    return Chart(name, _axis(scale, axis), drawing, table, list(series))


def area(
    name: str, title: str, labels: Sequence[str], line: Series, money: Text, axis: Text, *,
    height: int = 168, long_labels: Sequence[str] | None = None,
) -> Chart:  # fmt: skip
    """A line over its area, a point per label."""
    scale = Scale(ticks(min(line.values, default=0), max(line.values, default=0)), height)
    width = 100 / len(labels)
    points = [((place + 0.5) * width, scale.y(value)) for place, value in enumerate(line.values)]
    columns = [
        _column(place, width, height, [_dot(x, y, line.css)], labels[place]) for place, (x, y) in enumerate(points)
    ]
    table = _table(title, long_labels or labels, [line], money, None)
    shape = _stretched(height, _path(points, scale.y(0), line.css))
    return Chart(name, _axis(scale, axis), _drawing(name, title, table, height, [_grid(scale), shape, *columns]), table, [line])


def bars_and_line(
    name: str, title: str, labels: Sequence[str], bars: Series, line: Series, money: Text, axis: Text, *,
    height: int = 168, long_labels: Sequence[str] | None = None,
) -> Chart:  # fmt: skip
    """Bars for what flows, a line for what stands; both on one scale."""
    everything = [*bars.values, *line.values]
    scale = Scale(ticks(min(everything, default=0), max(everything, default=0)), height)
    width = 100 / len(labels)
    columns = []
    for place, value in enumerate(bars.values):
        top, bottom = scale.y(max(value, 0)), scale.y(min(value, 0))
        shapes = [_bar(place, width, top, max(bottom - top, 1), bars.css)] if value else []
        columns.append(_column(place, width, height, shapes, labels[place]))
    points = [((place + 0.5) * width, scale.y(value)) for place, value in enumerate(line.values)]
    table = _table(title, long_labels or labels, [bars, line], money, None)
    end = [_dot(*points[-1], line.css)] if points else []
    parts = [_grid(scale), *columns, _stretched(height, _path(points, None, line.css)), *end]
    return Chart(name, _axis(scale, axis), _drawing(name, title, table, height, parts), table, [bars, line])


def shares(title: str, parts: Sequence[tuple[str, str, int]], *, height: int = 10) -> Markup:
    """One bar cut into (name, class, amount) from left to right."""
    whole = sum(amount for _, _, amount in parts)
    x, drawn = 0.0, []
    for name, css, amount in parts:
        if amount <= 0 or not whole:
            continue
        width = 100 * amount / whole
        drawn.append(Markup('<rect class="{}" x="{}%" width="{}%" height="{}"><title>{}</title></rect>').format(
            css, f"{x:.2f}", f"{width:.2f}", height, name))  # fmt: skip
        x += width
    empty = Markup('<rect class="c-empty" width="100%" height="{}"/>').format(height)
    return Markup('<svg class="shares" width="100%" height="{}" role="img" aria-label="{}">{}{}</svg>').format(
        height, title, empty, Markup("").join(drawn)
    )


def meter(part: int, whole: int) -> Markup:
    """A thin bar beside a figure that says the same."""
    bar = Markup('<rect width="{}%" height="3" rx="1.5"/>').format(f"{100 * part / max(whole, 1):.1f}")
    return Markup('<svg class="meter" width="100%" height="3" aria-hidden="true">{}</svg>').format(bar)


def sparkline(title: str, values: Sequence[int], css: str, *, height: int = 32) -> Markup:
    """A line without axes: where it came from at a glance."""
    if len(values) < 2 or not any(values):
        return Markup("")
    low, high = min(values), max(values)
    span = max(high - low, 1)
    step = 100 / (len(values) - 1)
    inner = height - 4
    points = [(place * step, 2 + inner - inner * (value - low) / span) for place, value in enumerate(values)]
    return Markup('<svg class="sparkline" width="100%" height="{}" role="img" aria-label="{}">{}</svg>').format(
        height, title, _stretched(height, _path(points, float(height), css))
    )


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bar(place: int, width: float, top: float, height: float, css: str) -> Markup:
    left = (place + (1 - BAR) / 2) * width
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="{}"/>').format(
        css, f"{left:.2f}", f"{top:.1f}", f"{width * BAR:.2f}", f"{height:.1f}", min(ROUND, height / 2)
    )


def _dot(x: float, y: float, css: str) -> Markup:
    return Markup('<circle class="dot {}" cx="{}%" cy="{}" r="3"/>').format(css, f"{x:.2f}", f"{y:.1f}")


def _column(place: int, width: float, height: int, shapes: Sequence[Markup], label: str) -> Markup:
    """What belongs to one label, over a field that lights up; app.js finds its figures by `data-row`."""
    return Markup(
        '<g class="column" data-row="{}"><rect class="field" x="{}%" y="0" width="{}%" height="{}"/>{}'
        '<text class="label" x="{}%" y="{}">{}</text></g>'
    ).format(
        place, f"{place * width:.2f}", f"{width:.2f}", height + 24, Markup("").join(shapes),
        f"{(place + 0.5) * width:.2f}", height + 17, label,
    )  # fmt: skip


def _path(points: Sequence[tuple[float, float]], floor: float | None, css: str) -> Markup:
    line = " ".join(f"{'M' if place == 0 else 'L'}{x:.2f} {y:.1f}" for place, (x, y) in enumerate(points))
    filled = Markup("")
    if floor is not None and points:
        outline = f"{line} L{points[-1][0]:.2f} {floor:.1f} L{points[0][0]:.2f} {floor:.1f} Z"
        filled = Markup('<path class="area {}" d="{}"/>').format(css, outline)
    return filled + Markup('<path class="line {}" d="{}"/>').format(css, line)


def _stretched(height: int, content: Markup) -> Markup:
    return Markup('<svg width="100%" height="{0}" viewBox="0 0 100 {0}" preserveAspectRatio="none">{1}</svg>').format(
        height, content
    )


def _grid(scale: Scale) -> Markup:
    return Markup("").join(
        Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(
            "zero" if mark == 0 else "grid", scale.y(mark), scale.y(mark)
        )
        for mark in scale.marks
    )


def _axis(scale: Scale, text: Text) -> Markup:
    marks = Markup("").join(
        Markup('<text x="100%" y="{}">{}</text>').format(scale.y(mark) + 4, text(mark)) for mark in scale.marks
    )
    return Markup('<svg class="axis" width="48" height="{}" aria-hidden="true">{}</svg>').format(scale.height + 24, marks)


def _drawing(name: str, title: str, table: Table, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="plot" width="100%" height="{}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>'
    ).format(height + 24, name, name, name, title, name, _described(table), Markup("").join(parts))


def _described(table: Table) -> str:
    """The newest row in words, for those who cannot see the chart; the table has the rest."""
    if not table.rows:
        return "No figures yet."
    last = table.rows[-1]
    return f"{last[0]}: " + ", ".join(f"{column} {value}" for column, value in zip(table.columns[1:], last[1:], strict=True))


def _table(
    caption: str, labels: Sequence[str], series: Sequence[Series], money: Text, total: str | None
) -> Table:
    columns = ["Month", *(s.name for s in series), *([total] if total else [])]
    rows = []
    for place, label in enumerate(labels):
        values = [s.values[place] for s in series]
        rows.append([label, *(money(v) for v in values), *([money(sum(values))] if total else [])])
    return Table(caption, columns, rows)


