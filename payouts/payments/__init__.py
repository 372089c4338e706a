"""Deposits: addresses that belong to somebody, and crediting what came in there."""
