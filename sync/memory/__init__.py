"""The destination: calls to the Personize memory API, and how chunks are delivered through them."""
