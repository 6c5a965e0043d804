"""ProbTree: a question as a tree of simpler ones, each answered in the way that is surest."""
