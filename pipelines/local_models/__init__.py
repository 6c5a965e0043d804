"""The verbs of local models: serving one, what it takes, and what it has read for good."""
