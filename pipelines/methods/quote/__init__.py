"""Quoting: the sentences of the documents that answer best, without a language model."""

from lcagent.pipelines.method import Method, Node


def _node() -> Node:
    from lcagent.pipelines.methods.quote.steps import quote  # noqa: PLC0415 -- loaded when used

    return quote


METHOD = Method(
    name="quote",
    verb="ask",
    summary="quotes the document, without a model",
    describe_step=lambda _: None,
    node=_node,
    needs_model=False,
)
