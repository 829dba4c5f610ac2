"""How long a function takes to start: which first event it gets, and the processes that are measured."""
