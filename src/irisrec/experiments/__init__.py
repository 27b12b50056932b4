"""Whole runs from one config: load, encode, split, train, judge, save, report."""
