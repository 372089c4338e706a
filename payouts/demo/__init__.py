"""`make demo`: the main road walked once by outsiders, over HTTP, on the running local default."""
