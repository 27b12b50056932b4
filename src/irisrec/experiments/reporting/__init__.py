"""What stands in a run's report: one module per section, each from the run folder alone."""
