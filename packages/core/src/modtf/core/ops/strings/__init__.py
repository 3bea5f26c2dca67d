"""Strings, and text as numbers, parts and hashes."""
