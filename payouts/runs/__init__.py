"""Payout runs: many payments in one file, checked row by row, confirmed once, made in their order."""
