"""The `public` API (seed 1): payouts and withdrawals of merchants' users."""
