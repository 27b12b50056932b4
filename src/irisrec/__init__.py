"""Explainable multimodal top-N recommendation: Multimodal IRIS and the item-similarity models around it."""

__version__ = "0.1.0"
