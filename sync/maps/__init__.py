"""The property-map engine: from a YAML file to a function that turns records into rows."""
