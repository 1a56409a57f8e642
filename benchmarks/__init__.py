"""What is claimed about speed, as programs: `make bench`."""
