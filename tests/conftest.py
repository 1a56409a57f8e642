pytest_plugins = [
    "fixtures_postgres",
    "fixtures_state",
    "fixtures_faults",
    "fixtures_reading",
    "fixtures_canary",
    "fixtures_attacks",
    "fixtures_image",
    "fixtures_serve",
    "fixtures_inside",
    "fixtures_standins",
    "fixtures_logging",
]
