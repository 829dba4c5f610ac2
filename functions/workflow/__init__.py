"""What happens next: the life of an incident as one table, and one module per step."""
