"""How fast the project is, beside what it is measured by."""
