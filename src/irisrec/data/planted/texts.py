"""Product texts of the built-in shop: two sentences on the kind, three on the theme, and a plain one in short texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.themes import THEMES, Theme

# Every text has one opening and one detail on its kind, so that the kind can be read as well as seen.
OPENINGS: dict[str, tuple[str, ...]] = {
    "T-shirt": ("A T-shirt with short sleeves and a round neck.", "A short-sleeved T-shirt, cut straight."),
    "dress": (
        "A sleeveless dress with a narrow waist and a wide skirt.",
        "A dress with thin straps and a skirt.",
    ),
    "mug": ("A mug for coffee, with a round handle.", "A generous mug that keeps coffee hot."),
    "lamp": ("A table lamp with a tapered shade.", "A lamp with a steady foot and a tapered shade."),
    "vase": ("A round vase with a slim neck.", "A vase for a bouquet or three stems."),
    "cushion": ("A plump cushion with a hidden zip.", "A cushion for the sofa, with a washable cover."),
    "tote": ("A tote bag with two handles and an open top.", "A tote bag for the shoulder and the shopping."),
    "umbrella": (
        "An umbrella with eight ribs and a curved handle.",
        "An umbrella that opens wide in the rain.",
    ),
    "notebook": ("A spiral notebook of ninety ruled pages.", "A notebook with thick ruled pages."),
    "plate": ("A dinner plate with a broad rim.", "A plate for dinner or dessert."),
    "beanie": ("A knitted beanie with a cuff and a pompon.", "A beanie that covers the ears."),
    "backpack": ("A backpack with padded straps and a front pocket.", "A backpack with a laptop sleeve."),
    "teapot": ("A teapot with a snug lid and a clean spout.", "A teapot that pours four cups."),
    "rain boots": ("Rain boots with a deep tread and a wide shaft.", "Rain boots that pull on easily."),
    "apron": ("An apron with a bib, long strings and a pocket.", "An apron that ties at the back."),
    "kite": ("A kite with crossed spars and a long tail.", "A kite for a light breeze."),
}
DETAILS: dict[str, tuple[str, ...]] = {
    "T-shirt": (
        "The neck and sleeves of this T-shirt have a double hem.",
        "Short sleeves, straight hem: a T-shirt to wear alone or under a shirt.",
        "Wash the T-shirt inside out; neck, hem and sleeves keep their shape.",
    ),
    "dress": (
        "Waist and straps of the dress adjust; the skirt swings.",
        "The skirt of this dress ends below the knee, the waist is fitted.",
        "Wear the dress with bare arms; its straps hide under a cardigan.",
    ),
    "mug": (
        "The mug holds plenty of coffee and its handle fits four fingers.",
        "Handle and lip of this mug are thin, and cocoa or coffee stays hot.",
        "Put the mug in the dishwasher after the last sip of coffee.",
    ),
    "lamp": (
        "The shade of the lamp softens the bulb; the switch is on the cord.",
        "A warm bulb is included, and the shade spreads its light.",
        "Set the lamp on a table: shade, bulb, cord and switch are ready.",
    ),
    "vase": (
        "The belly of the vase holds water for a week of tulips.",
        "Its neck keeps stems upright, from one tulip to a whole bouquet.",
        "Fill the vase with water, add stems, and turn the bouquet.",
    ),
    "cushion": (
        "The cushion has a soft filling and a cover with a zip.",
        "Zip off the cover to wash it, then plump the filling on the sofa.",
        "Throw the cushion on a sofa or bed; its filling springs back.",
    ),
    "tote": (
        "The tote bag swallows the shopping, and its handles fit a shoulder.",
        "Handles long enough for the shoulder make this tote bag easy to carry.",
        "Fold the tote bag flat until there is shopping to carry.",
    ),
    "umbrella": (
        "The umbrella dries quickly; its ribs bend in a gust of rain.",
        "Hook the curved handle over the arm when the rain stops.",
        "Eight ribs hold the umbrella open in wind and rain.",
    ),
    "notebook": (
        "The spiral lets the notebook lie flat, and the pages take ink.",
        "Ruled pages, no bleeding ink: this notebook is for writing.",
        "Ninety pages on a spiral wait for a pencil or for ink.",
    ),
    "plate": (
        "The plate stacks neatly, and its rim keeps the sauce in.",
        "Dishwasher and oven do no harm to this dinner plate or its rim.",
        "Serve dessert on the plate, from the rim to the middle.",
    ),
    "beanie": (
        "The cuff of the beanie turns down over cold ears.",
        "Knitted without a seam, this beanie is warm from pompon to cuff.",
        "Take off the pompon to wash the beanie; the ears will wait.",
    ),
    "backpack": (
        "The straps of the backpack are padded, and a bottle fits the pocket.",
        "Laptop, lunch and bottle find room in the pockets of this backpack.",
        "Padded straps spread the load of a full backpack.",
    ),
    "teapot": (
        "The spout of the teapot does not drip, and a strainer is included.",
        "Lift the lid, fill the strainer, and pour four cups from the spout.",
        "Lid and strainer of this teapot come apart for washing.",
    ),
    "rain boots": (
        "The boots stay dry inside in every puddle; the tread grips.",
        "Step into a puddle: these rain boots are tight from sole to shaft.",
        "Rinse tread and sole of the boots, and the next puddle may come.",
    ),
    "apron": (
        "The bib of the apron is high, and the pocket takes spoons.",
        "Tie the strings in front or behind; the bib keeps clean what is under it.",
        "Strings, bib and pocket of this apron are sewn twice.",
    ),
    "kite": (
        "The kite comes with thirty metres of string on a reel.",
        "Its tail steadies the kite while the string sings in the wind.",
        "Spars and tail of the kite roll up with the string.",
    ),
}

SHORT = 38  # words before the opening; a shorter text gets a plain sentence more

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
    """Write one text per item from its kind and theme, about fifty words, no two the same."""
    texts: dict[str, None] = {}
    for kind, theme in zip(kinds, themes, strict=True):
        while (text := _text(KINDS[kind].name, THEMES[theme], rng)) in texts:
            pass
        texts[text] = None
    return list(texts)


def _text(kind: str, theme: Theme, rng: np.random.Generator) -> str:
    parts = (DETAILS[kind], theme.materials, theme.stories, theme.occasions)
    told = [_pick(parts[part], rng) for part in rng.permutation(4)]
    if len(" ".join(told).split()) < SHORT:
        told.append(_pick(PLAIN_SENTENCES, rng))
    return " ".join([_pick(OPENINGS[kind], rng), *told])


def _pick(sentences: tuple[str, ...], rng: np.random.Generator) -> str:
    return sentences[int(rng.integers(len(sentences)))]
