"""The `extraction` API (seed 0): stores and their supervisors send USDT out of a QR code's account."""
