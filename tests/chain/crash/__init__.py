"""Dying at every failpoint of every path, and what is found afterwards."""
