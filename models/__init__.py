"""Models that answer prompts: remote, quoting and scripted, each behind `base.ChatModel`.

What is added to a model is a model again, wrapped around it: `Cached`, `Retrying`, `Budgeted`,
`Limited`. Nothing here knows what is asked, or why.
"""
