"""What people did since the training: kept in SQLite or PostgreSQL."""
