"""Images: sizes, colours, boxes, files."""
