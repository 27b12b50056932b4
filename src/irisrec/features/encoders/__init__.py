"""Frozen encoders: raw content in, one vector per item out."""
