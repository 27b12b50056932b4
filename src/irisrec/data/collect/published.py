"""The published data sets that ``irisrec download`` knows: addresses, checksums, terms."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass

from irisrec.errors import ConfigError

GROUPLENS = ("https://files.grouplens.org/datasets/movielens",)
AMAZON_2014 = (
    "https://snap.stanford.edu/data/amazon/productGraph",
    "https://mcauleylab.ucsd.edu/public_datasets/data/amazon",
)
AMAZON_2023 = (
    "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023",
    "https://datarepo.eng.ucsd.edu/mcauley_group/data/amazon_2023",
)

MOVIELENS_TERMS = (
    "MovieLens, by GroupLens Research, University of Minnesota: for research; commercial use only with their "
    "permission{more}; name the source in publications (Harper and Konstan 2015, doi:10.1145/2827872). The README in "
    "the archive holds the binding terms."
)
AMAZON_TERMS = (
    "Amazon product data, collected by the McAuley Lab, UC San Diego: published for research with a request to cite "
    "{cite}. No licence is granted for the texts and pictures, which belong to their owners: do not redistribute them."
)

CATEGORIES_2014 = [
    "Amazon_Instant_Video",
    "Apps_for_Android",
    "Automotive",
    "Baby",
    "Beauty",
    "Books",
    "CDs_and_Vinyl",
    "Cell_Phones_and_Accessories",
    "Clothing_Shoes_and_Jewelry",
    "Digital_Music",
    "Electronics",
    "Grocery_and_Gourmet_Food",
    "Health_and_Personal_Care",
    "Home_and_Kitchen",
    "Kindle_Store",
    "Movies_and_TV",
    "Musical_Instruments",
    "Office_Products",
    "Patio_Lawn_and_Garden",
    "Pet_Supplies",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Toys_and_Games",
    "Video_Games",
]
CATEGORIES_2023 = [
    "All_Beauty",
    "Amazon_Fashion",
    "Appliances",
    "Arts_Crafts_and_Sewing",
    "Automotive",
    "Baby_Products",
    "Beauty_and_Personal_Care",
    "Books",
    "CDs_and_Vinyl",
    "Cell_Phones_and_Accessories",
    "Clothing_Shoes_and_Jewelry",
    "Digital_Music",
    "Electronics",
    "Gift_Cards",
    "Grocery_and_Gourmet_Food",
    "Handmade_Products",
    "Health_and_Household",
    "Health_and_Personal_Care",
    "Home_and_Kitchen",
    "Industrial_and_Scientific",
    "Kindle_Store",
    "Magazine_Subscriptions",
    "Movies_and_TV",
    "Musical_Instruments",
    "Office_Products",
    "Patio_Lawn_and_Garden",
    "Pet_Supplies",
    "Software",
    "Sports_and_Outdoors",
    "Subscription_Boxes",
    "Tools_and_Home_Improvement",
    "Toys_and_Games",
    "Unknown",
    "Video_Games",
]
NAMES = ("movielens-1m", "movielens-latest-small", "amazon-2014:CATEGORY", "amazon-2023:CATEGORY")


@dataclass(frozen=True)
class PublishedFile:
    """One file to fetch.

    Attributes:
        name: its name in the user's folder.
        addresses: where it lies, in the order in which they are tried.
        md5: whether the publisher puts a ``.md5`` file beside it.
    """

    name: str
    addresses: tuple[str, ...]
    md5: bool = False


@dataclass(frozen=True)
class PublishedDataset:
    """A data set as its publisher offers it."""

    name: str
    files: tuple[PublishedFile, ...]
    terms: str


def find(name: str, *, image_features: bool = False, base_url: str | None = None) -> PublishedDataset:
    """Look up a data set by name, e.g. ``movielens-1m`` or ``amazon-2014:Clothing_Shoes_and_Jewelry``.

    Args:
        name: one of ``NAMES``; categories in any spelling that has the right words.
        image_features: add the binary picture features of Amazon 2014, 16,394 bytes per product of the category.
        base_url: a mirror with the publisher's own paths below it, in place of the published addresses. The
            environment variables ``IRISREC_GROUPLENS_URL``, ``IRISREC_AMAZON_2014_URL`` and
            ``IRISREC_AMAZON_2023_URL`` do the same.
    """
    family, _, category = name.partition(":")
    if image_features and family != "amazon-2014":
        raise ConfigError(f"image features are published with amazon-2014 only, not with {name}")
    if family in ("movielens-1m", "movielens-latest-small") and not category:
        archive = family.replace("movielens", "ml") + ".zip"
        bases = _bases("GROUPLENS", GROUPLENS, base_url)
        more = "" if family.endswith("small") else "; no redistribution without their permission"
        file = PublishedFile(archive, tuple(f"{base}/{archive}" for base in bases), md5=True)
        return PublishedDataset(family, (file,), MOVIELENS_TERMS.format(more=more))
    if family == "amazon-2014":
        category = _category(category, CATEGORIES_2014, family)
        paths = [f"categoryFiles/reviews_{category}_5.json.gz", f"categoryFiles/meta_{category}.json.gz"]
        if image_features:
            paths.append(f"image_features/categoryFiles/image_features_{category}.b")
        terms = AMAZON_TERMS.format(cite="He and McAuley 2016 and McAuley et al. 2015")
        return _amazon(f"{family}:{category}", paths, _bases("AMAZON_2014", AMAZON_2014, base_url), terms)
    if family == "amazon-2023":
        category = _category(category, CATEGORIES_2023, family)
        paths = [
            f"raw/review_categories/{category}.jsonl.gz",
            f"raw/meta_categories/meta_{category}.jsonl.gz",
        ]
        terms = AMAZON_TERMS.format(cite="Hou et al. 2024 (arXiv:2403.03952)")
        return _amazon(f"{family}:{category}", paths, _bases("AMAZON_2023", AMAZON_2023, base_url), terms)
    close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ConfigError(f"unknown data set {name!r}, known: {', '.join(NAMES)}{hint}")


def _amazon(name: str, paths: list[str], bases: tuple[str, ...], terms: str) -> PublishedDataset:
    files = (PublishedFile(p.rpartition("/")[2], tuple(f"{base}/{p}" for base in bases)) for p in paths)
    return PublishedDataset(name, tuple(files), terms)


def _bases(family: str, published: tuple[str, ...], given: str | None) -> tuple[str, ...]:
    other = given or os.environ.get(f"IRISREC_{family}_URL")
    return (other.rstrip("/"),) if other else published


def _category(given: str, known: list[str], family: str) -> str:
    names = {_plain(category): category for category in known}
    if _plain(given) in names:
        return names[_plain(given)]
    close = difflib.get_close_matches(_plain(given), names, n=1, cutoff=0.4)
    if not given:
        raise ConfigError(f"{family} needs a category, e.g. {family}:{known[8]}; known: {', '.join(known)}")
    hint = f"did you mean {names[close[0]]!r}?" if close else f"known: {', '.join(known)}"
    raise ConfigError(f"{family} has no category {given!r}; {hint}")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("&", " and ")).strip("_")
