"""`memsync serve`: streams on their schedules in one process, and what can be seen of them."""
