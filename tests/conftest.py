pytest_plugins = [
    "fixtures_postgres",
    "fixtures_state",
    "fixtures_faults",
    "fixtures_canary",
    "fixtures_attacks",
    "fixtures_image",
    "fixtures_serve",
]
