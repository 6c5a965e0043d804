"""AgentWrite: a plan of paragraphs, then the paragraphs, each to its planned length."""
