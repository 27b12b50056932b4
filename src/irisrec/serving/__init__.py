"""A trained run over HTTP: recommendations with reasons, and a store of what people did since."""
