"""Playbooks: given this cause, what would we do for this service?"""
