"""Losses, batches, the one loop, checkpoints."""
