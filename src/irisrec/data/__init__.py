"""What users did and what items are: interactions, catalog, dataset, splits, and the sources they come from."""
