"""The page on everything a playbook may say, made from the models that read it."""
