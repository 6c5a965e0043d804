"""What `lcagent doctor` looks at."""
