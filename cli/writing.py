"""`lcagent write`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress import reading_progress
from lcagent.cli.watching import watching
from lcagent.errors import UsageError
from lcagent.results import Article

if TYPE_CHECKING:
    from lcagent.pipelines.methods.write.options import WriteOptions

Words = Annotated[
    int | None, typer.Option("--words", min=1, metavar="N", help="How long it should be.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE.md|.html|.docx", help="A file that grows with the text."
    ),
]


def write(
    instruction: Annotated[
        str, typer.Argument(metavar="INSTRUCTION", help="What to write, and for whom.")
    ],
    documents: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="DOC", help="Write from this document, with citations; repeatable."
        ),
    ] = None,
    words: Words = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Print the plan, to be edited, and stop.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Write by this plan.")
    ] = None,
    output: Output = None,
    parallel: Annotated[
        bool,
        typer.Option(
            "--parallel", help="Write all paragraphs at the same time: faster, less coherent."
        ),
    ] = False,
    paragraph_words: Annotated[
        str, typer.Option("--paragraph-words", metavar="N-N", help="Fewest and most of each.")
    ] = "200-1000",
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    window: options.Window = None,
    pages: options.Pages = None,
    top_k: options.TopK = 12,
    vectors: options.Vectors = None,
    password: options.Password = None,
    ocr: options.Ocr = None,
    max_usd: options.MaxUsd = None,
    max_calls: options.MaxCalls = None,
    max_time: options.MaxTime = None,
    no_cache: options.NoCache = False,
    dry_run: options.DryRun = False,
    explain: options.Explain = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
    strict: options.Strict = False,
) -> int:
    """Write what INSTRUCTION asks for by a plan, on its own or from documents."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    given: WriteOptions = {
        "words": words,
        "plan": None if plan is None else _read(plan),
        "plan_only": plan_only,
        "output": output,
        "is_parallel": parallel,
        "paragraph_words": _range(paragraph_words),
        "base_url": base_url,
        "window": window,
        "pages": pages,
        "top_k": top_k,
        "vectors": vectors,
        "password": password,
        "ocr": ocr,
        "max_usd": max_usd,
        "max_calls": max_calls,
        "max_time_s": max_time,
        "use_cache": not no_cache,
    }
    if model is not None:
        given["model"] = model
    if dry_run:
        with reading_progress() as progress:
            given["progress"] = progress
            planned = pipelines.plan_write(instruction, documents or (), **given)
        printing.print_json(planned.as_json()) if json else printing.print_plan(planned)
        return 0
    shows_text = not json and output is None and not plan_only
    with watching(shows_answer=shows_text, explains=explain, is_verbose=verbose) as watch:
        given["progress"], given["on_event"] = watch.reading, watch.tell
        article = pipelines.write(instruction, documents or (), **given)
    if plan_only and not json:
        return _print_plan(article, output)
    return finish_article(article, shown=watch.shown, json=json, strict=strict, output=output)


def finish_article(
    article: Article, *, shown: str, json: bool, strict: bool, output: Path | None = None
) -> int:
    """Print what of a text is not `shown` yet, and return the exit status."""
    if json:
        printing.print_json(article.as_json())
    elif output is None:
        is_begun = bool(shown) and article.text.startswith(shown)
        printing.print_line(article.text[len(shown) :] if is_begun else article.text)
    else:
        printing.print_line(f"{output}: {_in_figures(article)}")
    unsupported = sum(one.status == "unsupported" for one in article.claims)
    notes = [*article.notes]
    if output is None and not json:
        notes.append(_in_figures(article))
    if unsupported:
        notes.append(f"{unsupported} of {len(article.claims)} statements are not supported")
    printing.print_notes([*notes, printing.in_figures(article.usage)])
    return 3 if strict and unsupported else 0


def _in_figures(article: Article) -> str:
    written = sum(1 for one in article.plan if one.words)
    paragraphs = f"{written} paragraph{'s' * (written != 1)}"
    length = f"{article.words:,} words of {article.target_words:,}"
    return f"{length} in {paragraphs}, S_l {article.S_l:.1f}"


def _print_plan(article: Article, output: Path | None) -> int:
    from lcagent.pipelines.methods.write.result import plan_text  # noqa: PLC0415

    text = plan_text(article)
    if output is None:
        printing.print_line(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")
    printing.print_notes(article.notes)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the plan cannot be read: {error}") from error


def _range(text: str) -> tuple[int, int]:
    fewest, _, most = text.partition("-")
    if not (fewest.strip().isdigit() and most.strip().isdigit()):
        raise UsageError(f'words of a paragraph are written like "200-1000", not {text!r}')
    return int(fewest), int(most)
