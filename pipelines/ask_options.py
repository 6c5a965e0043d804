"""What may be said with every question."""

from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.methods.tree_options import TreeOptions
from lcagent.pipelines.options import ModelOptions


class AskOptions(ModelOptions, total=False):
    """How a question is answered.

    Attributes:
        strategy: The method: "quote", "whole", "rag", "chain", "tree", or "auto" to let lcagent
            choose.
        preset: How a chain works: "default", "fast", "thorough" or "faithful".
        chain: The same, switch by switch.
        tree: How a question tree is answered.
    """

    strategy: str
    preset: str
    chain: ChainOptions
    tree: TreeOptions
