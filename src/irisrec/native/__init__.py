"""What takes most of the time, compiled for this processor at first use; everything works without it, slower."""
