"""Withdrawals: the state table, the accounting policy, the verbs."""
