"""The tests. Fakes that several of them share lie in `tests.fakes`."""
