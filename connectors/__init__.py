"""Sources of records: one module per connector, found by its name."""
