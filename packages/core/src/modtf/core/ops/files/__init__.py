"""Files, the records that are kept in them, and tables that are filled from them."""
