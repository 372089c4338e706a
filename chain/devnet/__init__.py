"""The local chains: a TRON dev node and the tokens that live there."""
