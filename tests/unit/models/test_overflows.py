"""Errors that say that a prompt does not fit, as some forty servers word them; and others."""

import pytest

from lcagent.models.overflows import is_overflow, limit_in, read_number

TOO_LONG = [
    ("maximum context length is 8192 tokens. However, your messages resulted in 9000", 8192),
    ("This model's maximum context length is 16,384 tokens. You requested 20,000", 16_384),
    ("Maximum context length of 8.192 tokens exceeded", 8_192),
    ("prompt is longer than model's maximum context of 32k tokens", 32_000),
    ("Your input exceeds the context window of this model. Please adjust your input.", None),
    (
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum "
            "context length is 4096 tokens and your request has 1000 input tokens"
        ),
        4096,
    ),
    (
        (
            "The decoder prompt (length 9000) is longer than the maximum model length of 4096. "
            "sure that `max_model_len` is no smaller than the number of text tokens."
        ),
        4096,
    ),
    (
        (
            "You passed 4097 input tokens and requested 512 output tokens. However, the model's "
            "context length is only 4096 tokens, so a maximum input length of 3584 tokens."
        ),
        4096,
    ),
    ("max_tokens must be at least 1, got -872.", None),
    ("request (9000 tokens) exceeds the available context size (4096 tokens)", 4096),
    ("exceed_context_size_error the request exceeds the available context size", None),
    (
        (
            "Trying to keep the first 9000 tokens when context the overflows. But the model is "
            "loaded with context length of only 4096 tokens, which is not enough."
        ),
        4096,
    ),
    (
        (
            "The number of tokens to keep from the initial prompt is greater than the context "
            "length (n_keep: 9000>= n_ctx: 4096)."
        ),
        4096,
    ),
    ("prompt is too long: 213000 tokens > 200000 maximum", 200_000),
    ("input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000", 200_000),
    (
        "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        1_048_576,
    ),
    ("Input is too long for requested model.", None),
    ("Prompt contains 40000 tokens, too large for model with 32768 maximum context length", 32_768),
    ("Please reduce the length of the messages or completion.", None),
    ("maximum prompt length is 131072 but the request contains 150000 tokens.", 131_072),
    ("<400> InternalError.Algo: Range of input length should be [1, 30720]", 30_720),
    ("Invalid request: Your request exceeded model token limit: 8192", 8192),
    (
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 9000.",
        4081,
    ),
    ("The prompt is too long: 9000, model maximum context length: 8192", 8192),
    ("`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens", 8193),
    ("Input validation error: `inputs` must have less than 1024 tokens. Given: 2000", 1024),
    ("The input (9000 tokens) is longer than the model's context length (8192 tokens).", 8192),
    ("Requested token count exceeds the model's maximum context length of 8192 tokens.", 8192),
    ("the input length exceeds the context length", None),
    ("Prompt exceeds max length", None),
    ("Prompt 超长", None),
    ("输入长度超过模型最大限制 8192", 8192),
    ("prompt token count of 90000 exceeds the limit of 64000", 64_000),
    ("Input length is larger than session_len 8192", 8192),
    ("Prompt length 9000 is greater than max_seq_len 4096", 4096),
    ("context window exceeds limit (2013)", None),  # the code of the error
    ("messages: Prompt is longer than the model context", None),
    (
        (
            "Input tokens exceed the configured limit of 922,000 tokens. Your messages resulted in "
            "1,000,000 tokens."
        ),
        922_000,
    ),
    ("tokens_limit_reached Request body too large for gpt-4o model. Max size: 8000 tokens.", 8000),
    (
        (
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000. "
            "input or output tokens must be reduced in order to run successfully."
        ),
        30_000,
    ),
    ("Requested tokens (9000) exceed context window of 4096", 4096),
    ("the prompt has 9000 tokens, but the model only supports 8192", 8192),
    ("sequence length is longer than the specified maximum sequence length (5000 > 512)", 512),
    ("The total number of tokens (9,000) is greater than the model's limit of 8,192.", 8192),
    ("length of prompt_tokens (9000) must be less than max_prompt_tokens (8192).", 8192),
    ("prompt too long; exceeded max context length by 204 tokens", None),
    ("Context size has been exceeded.", None),
    ("Number of input tokens exceeds maximum length", None),
    ("expected maxLength: 50000, actual: 60123, please reformat your input and try again.", None),
    ("the input token count is 40000 but model only supports up to 32767. Reduce it.", 32_767),
    ("Reached context length of 4096 tokens, and there is no context overflow", 4096),
    ("The sum of prompt length (5000.0) and max_tokens (64) should not exceed 4096", 4096),
    ("Please reduce the length of the messages. It is 9000 while limit is 8192", 8192),
    (
        (
            "The estimated number of input and maximum output tokens (9000) exceeded this model "
            "context window limit (7968)."
        ),
        7968,
    ),
    ("the number of input tokens 9000 cannot exceed the total tokens limit 8192", 8192),
    ("litellm.ContextWindowExceededError: litellm.BadRequestError", None),
    ("Your request of 9,000 tokens is over the 8,192 token limit of this model", 8192),
    ("prompt tokens (9000) + max tokens (1024) > context size (8192)", 8192),
    ("This model is limited to 8192 tokens; you sent 9000", 8192),
    ("The prompt does not fit into the context of the model (9000 of 8192 tokens)", 8192),
    ("Too many input tokens. Max input tokens: 8192, request input token count: 9000", 8192),
    ("Token limit exceeded", None),
]

OF_OTHER_THINGS = [
    "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000.",
    "You exceeded your current quota, please check your plan and billing details.",
    "This request requires more credits, or fewer max_tokens. You requested up to 8000 tokens",
    "max_tokens is too large: 8000. This model supports at most 4096 completion tokens",
    "max_tokens: 8000 > 100, which is the maximum allowed number of output tokens for m",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "<400> InternalError.Algo: Range of max_tokens should be [1, 8192]",
    (
        "`max_tokens` must be less than or equal to `8192`, the maximum value is less "
        "than the `context_window` for this model"
    ),
    "The maximum tokens you requested exceeds the model limit of 4096.",
    "image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
    "Too many requests",
    "temperature must be less than 2",
    "logprobs must be less than 20",
    "stop: too many stop sequences, at most 4",
    "model requires more system memory (5.6 GiB) than is available (3.0 GiB)",
    "messages -> 0 -> content: field required",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "An error occurred while processing your request",
    "Server is busy; please try again later.",
]


@pytest.mark.parametrize(("text", "limit"), TOO_LONG)
def test_a_prompt_that_does_not_fit_is_known_and_so_is_the_window(
    text: str, limit: int | None
) -> None:
    assert is_overflow(text)
    assert limit_in(text) == limit


@pytest.mark.parametrize("text", OF_OTHER_THINGS)
def test_errors_about_other_limits_are_not_about_the_window(text: str) -> None:
    assert not is_overflow(text)


def test_a_limit_in_characters_is_no_window() -> None:
    assert limit_in("prompt is too long: at most 30000 characters are allowed") is None


@pytest.mark.parametrize(
    ("digits", "unit", "number"),
    [
        ("16,384", "", 16_384),
        ("16.384", "", 16_384),
        ("16 384", "", 16_384),
        ("16\u202f384", "", 16_384),
        ("1,048,576", "", 1_048_576),
        ("4096.0", "", 4096),
        ("128", "k", 128_000),
        ("1", "M", 1_000_000),
    ],
)
def test_numbers_are_read_with_their_separators(digits: str, unit: str, number: int) -> None:
    assert read_number(digits, unit) == number
