"""From a source's own metadata and a few records to a property map: what holds words, what holds facts, and why."""
