"""Content becomes vectors: frozen encoders, feature tables, and the store on disk."""
