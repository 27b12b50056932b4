"""Hyper-parameters chosen on validation: what is tuned, the study that tries it, and what it leaves behind."""
