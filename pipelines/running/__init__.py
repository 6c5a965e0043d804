"""A run while it goes on: its events, its record, what it costs, where its steps are saved."""
