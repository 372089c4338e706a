"""What currencies are worth in each other, where each rate comes from, and for how long it is believed."""
