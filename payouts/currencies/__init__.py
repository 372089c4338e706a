"""The currencies that merchants are offered, and how much of each may come or go at once."""
