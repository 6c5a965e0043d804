"""Quotes: whether a piece of text stands in a document, and exactly where.

`checking` is what the rest of lcagent calls. `normalizing` gives one spelling to what printing
spells in many ways, `stretches` joins the text over page breaks, `matching` finds a quote in a
stretch exactly or nearly, and `fidelity` decides whether a difference is only a slip.
"""
