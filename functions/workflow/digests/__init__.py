"""Digests: what people would go through every morning, week and month, gone through for them."""
