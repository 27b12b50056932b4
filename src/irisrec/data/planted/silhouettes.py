"""The product kinds of the built-in shop: outlines that a style's cloth is cut to, with handles, seams and stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageDraw, ImageFilter

CANVAS = 384  # pictures are drawn large and scaled down: smooth edges at no cost in code
WOOD, METAL, INK = "#b98a5a", "#8b9099", "#3b3a40"
Draw = ImageDraw.ImageDraw


@dataclass(frozen=True)
class Kind:
    """A kind of product: an interest in it is visible in the picture (outline) and in the text (words).

    Attributes:
        name, plural: the product in words.
        body: draws the patterned part, white on black.
        back: draws plain parts that lie behind the body.
        front: draws plain lines that lie over the body.
    """

    name: str
    plural: str
    body: Callable[[Draw], None]
    back: Callable[[Draw], None] = lambda draw: None
    front: Callable[[Draw], None] = lambda draw: None

    @cached_property
    def mask(self) -> Image.Image:
        """Where the cloth shows, (CANVAS, CANVAS), 255 inside."""
        image = Image.new("L", (CANVAS, CANVAS), 0)
        self.body(ImageDraw.Draw(image))
        return image

    @cached_property
    def backdrop(self) -> Image.Image:
        """A light wall, the soft shadow of the product, and its plain parts."""
        image = Image.new("RGB", (CANVAS, CANVAS), "#f6f4f1")
        parts = Image.new("L", (CANVAS, CANVAS), 0)
        self.body(ImageDraw.Draw(parts))
        shadow = parts.filter(ImageFilter.GaussianBlur(9)).point(lambda v: v * 0.35)
        image.paste("#8d8478", (6, 10), shadow)
        image.paste(
            "#a9a29a", (0, 0), self.mask.filter(ImageFilter.MaxFilter(5))
        )  # a rim that white cloth needs
        self.back(ImageDraw.Draw(image))
        return image

    @cached_property
    def shading(self) -> Image.Image:
        """Light from the upper left: how dark each pixel of the cloth gets, 0 to about 90."""
        ramp = Image.linear_gradient("L").resize((CANVAS, CANVAS)).rotate(35)
        return ramp.point(lambda v: v * 0.3)


def _tshirt(draw: Draw) -> None:
    draw.polygon(
        [
            (128, 62),
            (256, 62),
            (352, 130),
            (312, 192),
            (276, 166),
            (276, 332),
            (108, 332),
            (108, 166),
            (72, 192),
            (32, 130),
        ],
        fill="white",
    )
    draw.ellipse((152, 34, 232, 94), fill="black")


def _dress(draw: Draw) -> None:
    draw.polygon([(150, 96), (234, 96), (226, 176), (312, 346), (72, 346), (158, 176)], fill="white")
    draw.line((162, 100, 152, 36), fill="white", width=16)
    draw.line((222, 100, 232, 36), fill="white", width=16)


def _dress_belt(draw: Draw) -> None:
    draw.line((157, 178, 227, 178), fill=INK, width=9)


def _mug(draw: Draw) -> None:
    draw.rounded_rectangle((76, 92, 262, 318), 30, fill="white")
    draw.ellipse((76, 72, 262, 116), fill="white")


def _mug_handle(draw: Draw) -> None:
    draw.ellipse((222, 138, 342, 270), outline=METAL, width=24)


def _mug_rim(draw: Draw) -> None:
    draw.ellipse((84, 76, 254, 112), fill="#e9e4dc", outline=METAL, width=4)


def _lamp(draw: Draw) -> None:
    draw.polygon([(134, 42), (250, 42), (322, 214), (62, 214)], fill="white")


def _lamp_stand(draw: Draw) -> None:
    draw.rectangle((182, 210, 202, 336), fill=WOOD)
    draw.ellipse((122, 320, 262, 354), fill=WOOD)


def _vase(draw: Draw) -> None:
    draw.polygon([(158, 120), (226, 120), (216, 168), (168, 168)], fill="white")
    draw.ellipse((98, 146, 286, 350), fill="white")


def _vase_twigs(draw: Draw) -> None:
    for x, y in ((130, 34), (190, 18), (252, 42)):
        draw.line((192, 124, x, y), fill="#7d8c63", width=6)
        draw.ellipse((x - 12, y - 10, x + 12, y + 14), fill="#93a377")


def _cushion(draw: Draw) -> None:
    draw.rounded_rectangle((56, 66, 328, 326), 54, fill="white")
    for x, y in ((46, 56), (294, 56), (46, 292), (294, 292)):
        draw.ellipse((x, y, x + 44, y + 44), fill="white")


def _tote(draw: Draw) -> None:
    draw.polygon([(78, 154), (306, 154), (290, 348), (94, 348)], fill="white")


def _tote_handles(draw: Draw) -> None:
    draw.arc((126, 34, 258, 280), 180, 360, fill=WOOD, width=14)


def _umbrella(draw: Draw) -> None:
    draw.pieslice((30, 50, 354, 374), 180, 360, fill="white")
    for x in (30, 111, 192, 273):
        draw.ellipse((x, 190, x + 81, 234), fill="black")


def _umbrella_stick(draw: Draw) -> None:
    draw.line((192, 36, 192, 312), fill=WOOD, width=10)
    draw.arc((192, 286, 250, 350), 0, 180, fill=WOOD, width=10)


def _notebook(draw: Draw) -> None:
    draw.rounded_rectangle((92, 44, 308, 342), 14, fill="white")


def _notebook_rings(draw: Draw) -> None:
    for y in range(66, 330, 30):
        draw.ellipse((74, y, 112, y + 14), outline=METAL, width=6)


def _plate(draw: Draw) -> None:
    draw.ellipse((38, 38, 346, 346), fill="white")


def _plate_well(draw: Draw) -> None:
    draw.ellipse((112, 112, 272, 272), fill="#f1eeea", outline="#cfc9c0", width=5)


def _beanie(draw: Draw) -> None:
    draw.pieslice((72, 76, 312, 400), 180, 360, fill="white")
    draw.ellipse((160, 32, 224, 96), fill="white")


def _beanie_cuff(draw: Draw) -> None:
    draw.rounded_rectangle((62, 226, 322, 296), 20, fill="#e2ddd4", outline="#bdb6aa", width=4)
    for x in range(84, 316, 22):
        draw.line((x, 234, x, 288), fill="#c9c2b7", width=4)


def _backpack(draw: Draw) -> None:
    draw.rounded_rectangle((84, 72, 300, 340), 66, fill="white")


def _backpack_straps(draw: Draw) -> None:
    draw.arc((152, 34, 232, 124), 180, 360, fill=INK, width=14)
    draw.rounded_rectangle((62, 150, 100, 320), 16, fill=INK)
    draw.rounded_rectangle((284, 150, 322, 320), 16, fill=INK)


def _backpack_pocket(draw: Draw) -> None:
    draw.rounded_rectangle((122, 212, 262, 314), 20, outline=INK, width=7)
    draw.line((112, 152, 272, 152), fill=INK, width=7)


def _teapot(draw: Draw) -> None:
    draw.ellipse((92, 116, 282, 320), fill="white")
    draw.polygon([(262, 214), (346, 130), (366, 144), (280, 282)], fill="white")
    draw.rectangle((132, 306, 242, 328), fill="white")


def _teapot_handle(draw: Draw) -> None:
    draw.ellipse((20, 150, 144, 282), outline=METAL, width=20)


def _teapot_lid(draw: Draw) -> None:
    draw.ellipse((174, 74, 200, 100), fill=METAL)
    draw.ellipse((134, 94, 240, 136), fill=METAL)


def _boots(draw: Draw) -> None:
    for x in (56, 214):
        draw.rounded_rectangle((x, 48, x + 86, 318), 18, fill="white")
        draw.rounded_rectangle((x, 256, x + 128, 330), 34, fill="white")


def _boot_soles(draw: Draw) -> None:
    for x in (56, 214):
        draw.rounded_rectangle((x - 2, 322, x + 130, 344), 10, fill=INK)


def _apron(draw: Draw) -> None:
    draw.polygon(
        [(140, 70), (244, 70), (256, 160), (308, 176), (296, 348), (88, 348), (76, 176), (128, 160)],
        fill="white",
    )


def _apron_strings(draw: Draw) -> None:
    draw.arc((140, 20, 244, 122), 180, 360, fill=INK, width=8)
    draw.line((78, 180, 30, 214), fill=INK, width=8)
    draw.line((306, 180, 354, 214), fill=INK, width=8)


def _apron_pocket(draw: Draw) -> None:
    draw.rectangle((140, 226, 244, 300), outline=INK, width=6)


def _kite(draw: Draw) -> None:
    draw.polygon([(192, 26), (312, 146), (192, 306), (72, 146)], fill="white")


def _kite_cross(draw: Draw) -> None:
    draw.line((192, 26, 192, 306), fill=WOOD, width=6)
    draw.line((72, 146, 312, 146), fill=WOOD, width=6)


def _kite_tail(draw: Draw) -> None:
    draw.line([(192, 300), (216, 324), (178, 346), (212, 372)], fill=INK, width=6, joint="curve")


KINDS = (
    Kind("T-shirt", "T-shirts", _tshirt),
    Kind("dress", "dresses", _dress, front=_dress_belt),
    Kind("mug", "mugs", _mug, _mug_handle, _mug_rim),
    Kind("lamp", "lamps", _lamp, _lamp_stand),
    Kind("vase", "vases", _vase, _vase_twigs),
    Kind("cushion", "cushions", _cushion),
    Kind("tote", "tote bags", _tote, _tote_handles),
    Kind("umbrella", "umbrellas", _umbrella, _umbrella_stick),
    Kind("notebook", "notebooks", _notebook, front=_notebook_rings),
    Kind("plate", "plates", _plate, front=_plate_well),
    Kind("beanie", "beanies", _beanie, front=_beanie_cuff),
    Kind("backpack", "backpacks", _backpack, _backpack_straps, _backpack_pocket),
    Kind("teapot", "teapots", _teapot, _teapot_handle, _teapot_lid),
    Kind("rain boots", "rain boots", _boots, front=_boot_soles),
    Kind("apron", "aprons", _apron, _apron_strings, _apron_pocket),
    Kind("kite", "kites", _kite, _kite_tail, _kite_cross),
)
