"""What a model and a text take, before anything is loaded."""
