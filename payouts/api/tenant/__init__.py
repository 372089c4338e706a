"""The `tenant` API (seed 4): OAuth2, currencies, payments in, withdrawals out, sub-accounts."""
