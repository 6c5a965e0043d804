"""A store of any older version is upgraded when it is opened, and nothing in it is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.engine import make_url

import lcagent.storage
from lcagent import ask
from lcagent.cli import app
from lcagent.storage.database import HEAD, schema_version, upgrade_tables
from lcagent.storage.tables import metadata
from lcagent.testing import ScriptedModel

VERSIONS = Path(lcagent.storage.__file__).parent / "migrations" / "versions"
REVISIONS = sorted(path.name[1:5] for path in VERSIONS.glob("m[0-9]*.py"))
QUESTION = "Who kept the lighthouse?"
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Return all rows of a store where a question was quoted, and then put to a model.

    A file was written, and a job was done, too.
    """
    url = f"sqlite:///{tmp_path / 'full.db'}"
    monkeypatch.setenv("LCAGENT_DATABASE_URL", url)
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    document = tmp_path / "keepers.txt"
    document.write_text("Maud Ellery kept the lighthouse for thirty years. " * 3, encoding="utf-8")
    assert "Maud Ellery" in ask(document, QUESTION).answer
    model = ScriptedModel(lambda _: "Maud did.")
    assert ask(document, QUESTION, model=model, strategy="whole").answer == "Maud did [1]."
    out, results = str(tmp_path / "summary.md"), str(tmp_path / "results.jsonl")
    assert app.run(["summarize", str(document), "--words", "20", "-o", out]) == 0
    assert app.run(["batch", "run", "ask", str(document), "Who was Maud?", "-o", results]) == 0
    document.unlink()  # what follows has the store alone
    engine = create_engine(url)
    with engine.connect() as connection:
        read = {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    empty = {name for name, found in read.items() if not found}
    assert empty <= {
        "vectors",
        "replies",
        "profiles",
        "workers",
    }  # workers are there while they work
    return read


def _make_store(url: str, revision: str, rows: Rows) -> None:
    """Make a store as it was at a revision, with what of these rows it could hold."""
    engine = create_engine(make_url(url).set(drivername=_driver(url)))
    with engine.begin() as connection:
        upgrade_tables(connection, revision)
        old = MetaData()
        old.reflect(connection)
        for table in old.sorted_tables:
            kept = [
                {name: value for name, value in row.items() if name in table.columns}
                for row in rows.get(table.name, [])
            ]
            if kept:
                connection.execute(table.insert(), kept)
    engine.dispose()


def _driver(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_every_revision_is_upgraded_and_answers(
    revision: str,
    rows: Rows,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LCAGENT_DATABASE_URL", store_url)

    def run(*arguments: str) -> Any:
        status = app.run([*arguments, "--json"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)

    _make_store(store_url, revision, rows)
    assert _version(store_url) == revision
    (document,) = run("docs", "ls")["documents"]
    assert _version(store_url) == HEAD
    assert document["name"] == "keepers.txt"
    answer = run("ask", document["id"], QUESTION, "-m", "quote")
    assert "Maud Ellery" in answer["answer"]
    assert [each["status"] for each in answer["citations"]] == ["exact"]
    stored = {run["id"]: run["result"] for run in rows["runs"]} if revision >= "0003" else {}
    assert app.run(["runs", "ls"]) == 0
    listed = capsys.readouterr().out
    # Since there are jobs, a job lists its own runs.
    of_jobs = {run["id"] for run in rows["runs"] if run["job_id"] and revision >= "0010"}
    assert all(run_id[:8] in listed for run_id in stored.keys() - of_jobs)
    for run_id, result in stored.items():
        said = "answer" if "answer" in result else "text"  # of a summary
        assert run("runs", "show", run_id)[said] == result[said]


def _version(url: str) -> str | None:
    engine = create_engine(make_url(url).set(drivername=_driver(url)))
    with engine.connect() as connection:
        found = schema_version(connection)
    engine.dispose()
    return found
