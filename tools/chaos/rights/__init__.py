"""Least privilege, proven: what each function calls against what its role grants."""
