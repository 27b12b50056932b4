"""The visual styles of the built-in shop: a palette and a pattern each, drawn as one large tile of cloth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

TILE = 640
Draw = ImageDraw.ImageDraw
Colours = tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """What an interest that is visible only in the picture looks like.

    Attributes:
        name: the style in words, for reports; it never enters a product text.
        colours: the ground first, then the colours of the pattern.
        paint: draws the pattern over a tile that is already filled with the ground.
    """

    name: str
    colours: Colours
    paint: Callable[[Draw, Colours], None]

    def tile(self) -> Image.Image:
        """Draw a square of TILE pixels covered with the pattern."""
        image = Image.new("RGB", (TILE, TILE), self.colours[0])
        self.paint(ImageDraw.Draw(image), self.colours)
        return image


def _lattice(step: int, shifted: bool = True) -> list[tuple[int, int]]:
    """Give the points of a grid that overlaps the tile; every second row is shifted by half a step."""
    rows = range(-1, TILE // step + 2)
    return [(x * step + (step // 2 if shifted and y % 2 else 0), y * step) for y in rows for x in rows]


def _disc(draw: Draw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _bars(draw: Draw, colours: Colours) -> None:
    for y in range(0, TILE, 44):
        draw.rectangle((0, y, TILE, y + 20), fill=colours[1])


def _pinstripes(draw: Draw, colours: Colours) -> None:
    for x in range(0, TILE, 26):
        draw.rectangle((x, 0, x + 11, TILE), fill=colours[1])


def _diagonals(draw: Draw, colours: Colours) -> None:
    for x in range(-TILE, TILE, 52):
        draw.polygon([(x, 0), (x + 26, 0), (x + 26 + TILE, TILE), (x + TILE, TILE)], fill=colours[1])


def _gingham(draw: Draw, colours: Colours) -> None:
    for a in range(0, TILE, 56):
        draw.rectangle((a, 0, a + 27, TILE), fill=colours[1])
        draw.rectangle((0, a, TILE, a + 27), fill=colours[1])
    for x, y in _lattice(56, shifted=False):
        draw.rectangle((x, y, x + 27, y + 27), fill=colours[2])


def _dots(draw: Draw, colours: Colours) -> None:
    for x, y in _lattice(46):
        _disc(draw, x, y, 12, colours[1])


def _zigzag(draw: Draw, colours: Colours) -> None:
    for y in range(-40, TILE + 40, 44):
        line = [(x, y + (24 if (x // 24) % 2 else 0)) for x in range(-24, TILE + 48, 24)]
        draw.line(line, fill=colours[1], width=16, joint="curve")


def _waves(draw: Draw, colours: Colours) -> None:
    for row, y in enumerate(range(-20, TILE + 20, 30)):
        line = [(x, y + 10 * math.sin(x / 16)) for x in range(-8, TILE + 8, 4)]
        draw.line(line, fill=colours[1 + row % 2], width=10, joint="curve")


def _triangles(draw: Draw, colours: Colours) -> None:
    for n, (x, y) in enumerate(_lattice(58)):
        draw.polygon([(x, y + 50), (x + 29, y), (x + 58, y + 50)], fill=colours[1 + n % 2])


def _terrazzo(draw: Draw, colours: Colours) -> None:
    rng = np.random.default_rng(1)
    for n, (x, y) in enumerate(_lattice(40)):
        turn, size = rng.uniform(0, 6.3), rng.uniform(9, 20)
        corners = [turn + k * 6.283 / 5 + rng.uniform(-0.4, 0.4) for k in range(5)]
        points = [(x + size * math.cos(c), y + size * math.sin(c)) for c in corners]
        draw.polygon(points, fill=colours[1 + n % (len(colours) - 1)])


def _flowers(draw: Draw, colours: Colours) -> None:
    for x, y in _lattice(84):
        _disc(draw, x + 40, y + 34, 8, colours[3])
        for k in range(5):
            _disc(draw, x + 17 * math.cos(k * 1.2566), y + 17 * math.sin(k * 1.2566), 12, colours[1])
        _disc(draw, x, y, 9, colours[2])


def _stars(draw: Draw, colours: Colours) -> None:
    for n, (x, y) in enumerate(_lattice(60)):
        outer, inner = (20, 8) if n % 2 else (12, 5)
        points = [
            (x + r * math.sin(k * math.pi / 5), y - r * math.cos(k * math.pi / 5))
            for k in range(10)
            for r in [inner if k % 2 else outer]
        ]
        draw.polygon(points, fill=colours[1])


def _scales(draw: Draw, colours: Colours) -> None:
    for x, y in _lattice(40):
        for radius, colour in ((28, colours[2]), (23, colours[1]), (12, colours[0])):
            _disc(draw, x, y, radius, colour)


def _argyle(draw: Draw, colours: Colours) -> None:
    for n, (x, y) in enumerate(_lattice(72)):
        draw.polygon([(x, y - 70), (x + 36, y), (x, y + 70), (x - 36, y)], fill=colours[1 + n % 2])
    for x in range(-TILE, 2 * TILE, 72):
        draw.line((x, 0, x + TILE // 2, TILE), fill=colours[0], width=3)
        draw.line((x, 0, x - TILE // 2, TILE), fill=colours[0], width=3)


def _blocks(draw: Draw, colours: Colours) -> None:
    for n, (x, y) in enumerate(_lattice(120)):
        draw.rectangle((x, y, x + 120, y + 60), fill=colours[1 + n % 2])
        draw.rectangle((x, y + 60, x + 60, y + 120), fill=colours[0])


def _confetti(draw: Draw, colours: Colours) -> None:
    rng = np.random.default_rng(2)
    for n, (x, y) in enumerate(_lattice(34)):
        turn = rng.uniform(0, math.pi)
        dx, dy = 12 * math.cos(turn), 12 * math.sin(turn)
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=colours[1 + n % (len(colours) - 1)], width=8)


def _leaves(draw: Draw, colours: Colours) -> None:
    for n, (x, y) in enumerate(_lattice(54)):
        lean = 16 if n % 2 else -16
        blade = [(x - lean, y + 26), (x - 13, y), (x + lean, y - 26), (x + 13, y)]
        draw.polygon(blade, fill=colours[1 + n % 2])
        draw.line((x - lean, y + 26, x + lean, y - 26), fill=colours[0], width=3)


def _grid(draw: Draw, colours: Colours) -> None:
    for a in range(0, TILE, 36):
        draw.line((a, 0, a, TILE), fill=colours[1], width=5)
        draw.line((0, a, TILE, a), fill=colours[1], width=5)


def _chequers(draw: Draw, colours: Colours) -> None:
    for x, y in _lattice(64, shifted=False):
        draw.rectangle((x, y, x + 31, y + 31), fill=colours[1])
        draw.rectangle((x + 32, y + 32, x + 63, y + 63), fill=colours[1])


def _rings(draw: Draw, colours: Colours) -> None:
    for x, y in _lattice(84):
        for radius, colour in ((36, colours[1]), (27, colours[0]), (18, colours[2]), (9, colours[0])):
            _disc(draw, x, y, radius, colour)


def _herringbone(draw: Draw, colours: Colours) -> None:
    for column, x in enumerate(range(0, TILE, 48)):
        rise = 30 if column % 2 else -30
        for y in range(-60, TILE + 60, 30):
            points = [(x, y), (x + 48, y + rise), (x + 48, y + rise + 15), (x, y + 15)]
            draw.polygon(points, fill=colours[1])


STYLES = (
    Style("cream bars on indigo", ("#1f3a68", "#f3ead7"), _bars),
    Style("peach pinstripes on vermilion", ("#d4481f", "#f8d9ae"), _pinstripes),
    Style("teal diagonals on pale mint", ("#e3f4ef", "#1f9488"), _diagonals),
    Style("red gingham", ("#fff1ee", "#ec8a86", "#c1121f"), _gingham),
    Style("brown dots on sunflower yellow", ("#ffc526", "#6b3f0d"), _dots),
    Style("lilac zigzags on purple", ("#6a25a8", "#dcb0fb"), _zigzag),
    Style("pale waves on azure", ("#0a7bc2", "#9fe3f4", "#eafaff"), _waves),
    Style("olive and tan triangles", ("#fbf3d5", "#66703a", "#d79a55"), _triangles),
    Style("terrazzo chips on white", ("#f7f3ee", "#e07a8b", "#3f8f8c", "#e2b04a", "#52525b"), _terrazzo),
    Style("rose flowers on pink", ("#ffc2d6", "#e5177a", "#fff3b0", "#6cae2f"), _flowers),
    Style("gold stars on navy", ("#131c3a", "#f6b331"), _stars),
    Style("green scales", ("#b9e6c9", "#3c9a6b", "#17402f"), _scales),
    Style("mauve and coral argyle", ("#f4d3bd", "#6d597a", "#e3666b"), _argyle),
    Style("bright colour blocks", ("#ef476f", "#ffd166", "#06c99a"), _blocks),
    Style("neon confetti on black", ("#17171c", "#39ff88", "#ff3df2", "#27d7ff", "#f9f871"), _confetti),
    Style("sage leaves on deep green", ("#24361c", "#a7b98c", "#6f8f4e"), _leaves),
    Style("black grid on white", ("#fbfbfb", "#202024"), _grid),
    Style("brown and cream chequers", ("#f3dfc8", "#82481c"), _chequers),
    Style("orange rings on maroon", ("#6a0a2a", "#ff8a52", "#ffd2a6"), _rings),
    Style("grey herringbone", ("#c3c8ce", "#4c535b"), _herringbone),
)
