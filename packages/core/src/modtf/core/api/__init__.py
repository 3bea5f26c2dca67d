"""The thin functions that people call, over the ops."""
