"""The ledger's part of manage.py."""
