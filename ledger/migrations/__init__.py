"""The ledger's tables and functions, step by step."""
