"""Models that score candidates: modules that know tensors only."""
