"""A merchant's sub-accounts: balances of their own in its book, and transfers between them and the main one."""
