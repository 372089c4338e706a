"""Who: merchants, their people and their keys."""
