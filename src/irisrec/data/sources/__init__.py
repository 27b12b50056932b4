"""One file per outside format; each turns files into Interactions and a Catalog."""
