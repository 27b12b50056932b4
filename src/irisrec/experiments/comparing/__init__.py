"""A comparison of runs, as text and as a picture."""
