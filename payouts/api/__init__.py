"""The wire formats, one folder per vendor document."""
