"""Sound: files of it."""
