"""Ids in, ranked items and reasons out."""
