"""A long text on its way: what was ordered, what is written, and what it costs."""
