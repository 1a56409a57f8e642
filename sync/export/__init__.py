"""Records out of memory again: asked for page by page, and written where a killed export goes on."""
