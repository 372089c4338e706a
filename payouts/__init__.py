"""Merchants and the way of their money out: the only package that knows both the ledger and the chains."""
