"""Getting the data: published data sets, posters and plots from OMDb, pictures by address."""
