"""Cloud Custodian beside ours: its policy, its pins, and what runs each of them in a process of its own."""
