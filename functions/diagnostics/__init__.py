"""What is wrong? A registry of probes that read, and the ranking that judges what they read."""
