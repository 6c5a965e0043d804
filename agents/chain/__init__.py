"""Chain-of-Agents: workers read a long text, one chunk each; a manager answers."""
