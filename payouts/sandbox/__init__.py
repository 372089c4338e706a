"""A test-mode merchant with money and every credential, for developers on the local default."""
