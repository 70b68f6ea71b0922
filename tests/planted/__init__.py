"""Modules that do harm when they are loaded, each with a model or a task in it."""
