"""Typed settings: frozen pydantic models with every key known. No torch here."""
