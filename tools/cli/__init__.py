"""The `responder` command: what an operator asks and tells at the desk."""
