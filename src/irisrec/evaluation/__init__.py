"""How well a ranking finds what was held out: protocols and metrics."""
