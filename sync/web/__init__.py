"""What memsync's own pages share: one look, one set of pieces, one small server."""
