"""What many runs found, as one page: methods of several seeds, by data set and protocol."""
