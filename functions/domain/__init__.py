"""Nouns and facts: frozen models and standard library only, no input or output."""
