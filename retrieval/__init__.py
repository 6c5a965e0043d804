"""From files on disk to the passages that matter for a question, and back to the exact place."""
