"""What a merchant's people use in a browser: look, pay with a one-time code, set up, and say who may do what."""
