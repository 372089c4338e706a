"""The `merchant` API (seed 2): withdrawals under review."""
