"""The demonstration: the whole job on embedded parts, in a folder that goes on working afterwards."""
