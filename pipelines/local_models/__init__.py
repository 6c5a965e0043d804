"""The verbs of local models: serving, sizing, memories."""
