"""Plots as SVG: bars, and curves on logarithmic axes."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_COLOURS = ("#1f6f8b", "#d1495b", "#8d96a3", "#edae49", "#66a182", "#6a4c93", "#b07d62", "#2b2d42")
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 60, 190, 52, 50
_STYLE = "<style>text{font:12px sans-serif}.t{font-size:15px;font-weight:bold}.g{stroke:#ddd}</style>"


def bars(title: str, unit: str, names: Sequence[str], groups: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Draw a bar for each of ``names`` in each of ``groups``, with logarithmic lengths and the figures beside them."""
    shown = [(label, [(name, values[name]) for name in names if name in values]) for label, values in groups]
    largest = max((value for _, values in shown for _, value in values), default=1)
    smallest = min((value for _, values in shown for _, value in values), default=1) / 2
    left, length, parts, top = 300, 340, [], _TOP
    for label, values in shown:
        parts.append(f'<text x="{left - 8}" y="{top + 8 * len(values) + 2}" text-anchor="end">{escape(label)}</text>')
        for name, value in values:
            width = length * math.log(value / smallest) / math.log(largest / smallest)
            colour = _COLOURS[names.index(name)]
            parts.append(f'<rect x="{left}" y="{top}" width="{width:.1f}" height="13" fill="{colour}"/>')
            parts.append(f'<text x="{left + width + 5:.1f}" y="{top + 11}">{value:.3g} {escape(name)}</text>')
            top += 16
        top += 12
    return _svg(f"{title} ({unit}, logarithmic)", top + 10, parts)


def curves(title: str, x: str, y: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw a line of points for each name."""
    height = 400
    xs = [point[0] for points in lines.values() for point in points]
    ys = [point[1] for points in lines.values() for point in points]
    across, up = _Axis(xs, _LEFT, _WIDTH - _RIGHT), _Axis(ys, height - _BOTTOM, _TOP)
    parts = [
        *(
            f'<line class="g" x1="{across(tick):.1f}" y1="{_TOP}" x2="{across(tick):.1f}" y2="{height - _BOTTOM}"/>'
            f'<text x="{across(tick):.1f}" y="{height - _BOTTOM + 16}" text-anchor="middle">{_tick(tick)}</text>'
            for tick in across.ticks
        ),
        *(
            f'<line class="g" x1="{_LEFT}" y1="{up(tick):.1f}" x2="{_WIDTH - _RIGHT}" y2="{up(tick):.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{up(tick) + 4:.1f}" text-anchor="end">{_tick(tick)}</text>'
            for tick in up.ticks
        ),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{height - 14}" text-anchor="middle">{escape(x)}</text>',
        f'<text x="{_LEFT - 6}" y="{_TOP - 8}" text-anchor="end">{escape(y)}</text>'.replace("end", "start", 1),
    ]
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="3" fill="{colour}"/>' for a, b in points]
        parts.append(
            f'<text x="{_WIDTH - _RIGHT + 12}" y="{_TOP + 18 * number + 10}" fill="{colour}">{escape(name)}</text>'
        )
    return _svg(title, height, parts)


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


class _Axis:
    """A logarithmic axis of whole powers of ten, from the pixel ``begin`` to ``end``."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        positive = [value for value in values if value > 0] or [1]
        self._low = math.floor(math.log10(min(positive)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(positive))))
        self._begin = begin
        self._end = end
        self.ticks = [10.0**power for power in range(self._low, self._high + 1)]

    def __call__(self, value: float) -> float:
        share = (math.log10(max(value, 10.0**self._low)) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" role="img">'
        f'{_STYLE}<rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="t" x="16" y="22">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )
