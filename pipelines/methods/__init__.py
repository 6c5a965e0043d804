"""The switches of the methods, and what each of them keeps between its steps."""
