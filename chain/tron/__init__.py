"""TRON."""
