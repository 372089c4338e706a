"""Getting one payment onto a chain exactly once."""
