"""The `invoice` API (seed 3): withdrawals in forty currency codes."""
