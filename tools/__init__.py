"""What runs at the desk and is never deployed."""
