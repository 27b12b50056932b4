"""Names and quantities as people read them."""

from __future__ import annotations

from irisrec.data.config import DataConfig
from irisrec.models.config import ModelConfig

MODELS = {
    "popularity": "Popularity",
    "random": "Random",
    "item-knn": "ItemKNN",
    "content-knn": "Content kNN",
    "ease": "EASE",
    "slim": "SLIM",
    "ials": "iALS",
    "bpr-mf": "BPR-MF",
    "vbpr": "VBPR",
    "gmf": "GMF",
    "mlp": "MLP",
    "neumf": "NeuMF",
    "lightgcn": "LightGCN",
    "freedom": "FREEDOM",
    "fism": "FISM",
    "nais": "NAIS",
    "iris": "IRIS",
    "image-iris": "Image IRIS",
    "text-iris": "Text IRIS",
    "add-iris": "IRIS with added towers",
    "image-add-text-iris": "Image-add-Text IRIS",
    "multimodal-iris": "Multimodal IRIS",
}

# Options that are ours and not of the papers; what is trained with one is another method.
EXTENSIONS = {"model.content_factors": "content", "model.ridge": "ridge"}


def model_in_words(name: str) -> str:
    """Return the name that papers use for a model."""
    return MODELS.get(name, name)


def method_in_words(config: ModelConfig) -> str:
    """Return the name of a model, with what it has that its paper does not know.

    >>> method_in_words(ModelConfig(name="fism")), method_in_words(ModelConfig(name="fism", ridge=100))
    ('FISM', 'FISM + ridge (ours)')
    """
    ours = additions(config)
    return " + ".join([model_in_words(config.name), *ours]) + (" (ours)" if ours else "")


def additions(config: ModelConfig) -> list[str]:
    """Return words for what a model has that is ours and not of its paper.

    >>> additions(ModelConfig(name="nais", ridge=100))
    ['ridge']
    """
    return [word for option, word in EXTENSIONS.items() if getattr(config, option.removeprefix("model."))]


def data_in_words(config: DataConfig) -> str:
    """Return a name for the data: that of their folder."""
    return "the built-in shop" if config.source == "shop" else config.root.name or "the data"


def candidates_in_words(protocol: str) -> str:
    """Return a short name for a protocol.

    >>> candidates_in_words("full"), candidates_in_words("sampled-99")
    ('all items', '99 sampled')
    """
    kind, _, n = protocol.rpartition("-")
    if kind == "sampled" and n:
        return f"{n} sampled"
    if kind == "sampled-by-popularity":
        return f"{n} sampled by popularity"
    return {"full": "all items", "every-item": "all items, held out or not"}.get(
        protocol, protocol.replace("-", " ")
    )


def seconds_in_words(seconds: float) -> str:
    """Print a duration in the unit that suits it.

    >>> seconds_in_words(1.759), seconds_in_words(75), seconds_in_words(7322)
    ('1.76 s', '75.0 s', '122 min')
    """
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def bytes_in_words(n: int) -> str:
    """Print a size in the unit that suits it.

    >>> bytes_in_words(560_881_664), bytes_in_words(2_345_000_000)
    ('561 MB', '2.35 GB')
    """
    return f"{n / 1e9:.2f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"
