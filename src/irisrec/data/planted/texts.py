"""Product texts of the built-in shop: a sentence on the kind, three on the theme, and one that could stand anywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.themes import THEMES, Theme

# Two sentences per kind; every text has one, so that the kind can be read as well as seen.
KIND_SENTENCES: dict[str, tuple[str, ...]] = {
    "T-shirt": (
        "A T-shirt with short sleeves and a round neck, cut straight.",
        "This short-sleeved T-shirt has a round neck and a double hem.",
    ),
    "dress": (
        "A sleeveless dress with a narrow waist and a wide hem.",
        "This dress has thin straps, a fitted waist and a swinging skirt.",
    ),
    "mug": (
        "A mug for hot drinks, with a round handle and a thin lip.",
        "This generous mug keeps coffee hot and has a handle for four fingers.",
    ),
    "lamp": (
        "A table lamp with a tapered shade and a soft, warm bulb.",
        "This lamp stands steady and throws its light through a tapered shade.",
    ),
    "vase": (
        "A round-bellied vase with a slim neck for a few stems.",
        "This vase holds three stems or a bouquet, with a belly full of water.",
    ),
    "cushion": (
        "A plump cushion with a hidden zip and a washable cover.",
        "This cushion for sofa or bed has a soft filling and a hidden zip.",
    ),
    "tote": (
        "A tote bag with two carrying handles and an open top.",
        "This tote bag swallows the shopping and hangs from the shoulder.",
    ),
    "umbrella": (
        "An umbrella with eight ribs, a curved handle and a quick release.",
        "This umbrella opens wide, shrugs off rain and hooks over the arm.",
    ),
    "notebook": (
        "A notebook of ninety ruled pages on a spiral, lying flat.",
        "This spiral notebook has thick ruled pages that take ink well.",
    ),
    "plate": (
        "A dinner plate with a broad rim, fit for the dishwasher.",
        "This plate serves dinner or dessert and stacks neatly by its rim.",
    ),
    "beanie": (
        "A beanie with a turned-up cuff and a pompon on top.",
        "This knitted beanie covers the ears and has a cuff and a pompon.",
    ),
    "backpack": (
        "A backpack with padded straps, a front pocket and a laptop sleeve.",
        "This backpack has padded straps and a pocket for a bottle.",
    ),
    "teapot": (
        "A teapot with a lid that stays on and a spout that does not drip.",
        "This teapot pours four cups and comes with a strainer in the spout.",
    ),
    "rain boots": (
        "Rain boots with a deep tread and a wide shaft for puddles.",
        "These rain boots stay dry in every puddle and pull on easily.",
    ),
    "apron": (
        "An apron with a bib, long strings and one big pocket.",
        "This apron ties at the back and has a bib and a pocket for spoons.",
    ),
    "kite": (
        "A kite with crossed spars, a long tail and thirty metres of string.",
        "This kite flies in a light breeze and steers by its long tail.",
    ),
}

PLAIN_SENTENCES = (
    "Made in small batches and checked by hand.",
    "Easy to clean and built to last for years.",
    "A small thing that makes an ordinary day better.",
    "Comes in a plain box, ready to give away.",
    "Repairs are free for as long as we exist.",
    "Light enough to carry, strong enough to keep.",
    "One size that suits nearly everyone.",
    "Simple, honest and pleasant to use.",
    "Our customers come back for a second one.",
    "Designed to be used, not to be looked after.",
    "A favourite of ours since the first sample.",
    "Delivered within the week, returned without questions.",
)

# First names, given at random: a title says the kind and nothing of style or theme.
ALL_NAMES = (
    "Ada Agnes Albin Alma Anton Astrid Basil Bea Bruno Carla Casper Celia Clara Cleo Conrad Dora Edda "
    "Edgar Elias Elsa Emil Enid Esther Ezra Felix Fern Flora Frida Georg Greta Gustav Hanna Hedda "
    "Henrik Hugo Ida Ines Iris Ivo Jasper Jonas Josef Juno Karin Klara Lars Leo Levi Linus Lotte "
    "Lucia Magnus Maja Marta Matilda Max Mina Nelly Nils Nora Olga Oskar Otis Otto Paula Pella Petra "
    "Quentin Ragna Rasmus Rita Romy Rosa Rufus Ruth Saga Selma Sigrid Silas Simon Stella Sven Tilda "
    "Tobias Tora Una Ursula Vera Viggo Vilma Walter Wanda Wilma Xenia Yara Zelda "
)
NAMES = tuple(ALL_NAMES.split())


def write_titles(kinds: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    """Give every item a title such as ``Alma teapot``, distinct as long as the names last."""
    orders = [rng.permutation(len(NAMES)) for _ in KINDS]
    used = [0] * len(KINDS)
    titles = []
    for kind in kinds:
        turn, place = divmod(used[kind], len(NAMES))
        used[kind] += 1
        number = f" {turn + 1}" if turn else ""
        titles.append(f"{NAMES[orders[kind][place]]} {KINDS[kind].name}{number}")
    return titles


def write_texts(kinds: NDArray[np.int64], themes: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    """Write one text per item, 40 to 65 words, from its kind and theme."""
    return [_text(KINDS[k].name, THEMES[t], rng) for k, t in zip(kinds, themes, strict=True)]


def _text(kind: str, theme: Theme, rng: np.random.Generator) -> str:
    told = [_pick(theme.materials, rng), _pick(theme.stories, rng), _pick(theme.occasions, rng)]
    middle = [told[i] for i in rng.permutation(3)]
    middle.insert(int(rng.integers(4)), _pick(PLAIN_SENTENCES, rng))
    return " ".join([_pick(KIND_SENTENCES[kind], rng), *middle])


def _pick(sentences: tuple[str, ...], rng: np.random.Generator) -> str:
    return sentences[int(rng.integers(len(sentences)))]
