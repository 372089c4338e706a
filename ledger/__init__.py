"""An append-only double-entry ledger: one row per movement, one writer."""
