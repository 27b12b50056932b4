"""One file per outside format; each returns interactions, a catalog, and notes on what it found."""
