"""Telling somebody what became of streams: once for each change, on a webhook or any channel of apprise."""
