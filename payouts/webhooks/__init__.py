"""Telling merchants what happened: outbox, signatures, delivery."""
