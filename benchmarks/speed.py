"""What lcagent costs in CPU seconds and memory, beside its peers.

    python benchmarks/speed.py REPORT.pdf [--rows 1 2 6] [--repeats 5] [--llm .../bin/llm]
        [--pqa .../bin/pqa] [--llama-index-python .../bin/python]

A figure is user plus system seconds of the whole process tree, as the kernel counts them when
the command ends: machines are shared, and a wall clock would measure the others. Ours and the
peer's take turns, because on a shared core the same work costs up to half more; figures are
medians, with their range, and ratios are of medians. A target is given in seconds and as the
ratio that these were to the peer where it was set: between machines, only the ratio compares.
Commands run once before they count. A peer whose place is not given leaves its row out;
README.md has the lines that install them.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from measuring import Command, Run, Side, compare, run

LCAGENT = str(Path(sys.executable).with_name("lcagent"))
PEER_SCRIPT = str(Path(__file__).with_name("peer_llama_index.py"))
FIRST = "What was the net revenue in 2022?"
SECOND = "Who audits the consolidated financial statements?"


@dataclass(frozen=True, slots=True)
class Bench:
    """The rows.

    Attributes:
        folder: For scratch; empty.
        indexed: The peer's runs on its first question, which take minutes.
    """

    pdf: str
    folder: Path
    repeats: int
    llm: str | None
    pqa: str | None
    llama_index: str | None
    indexed: list[Run] = field(default_factory=list[Run])

    def row1(self) -> None:
        """Start-up."""
        sides = [self._help("lcagent --help", LCAGENT)]
        sides += [self._help("llm --help", self.llm, is_peer=True)] if self.llm else []
        sides += [self._help("pqa --help", self.pqa, is_peer=True)] if self.pqa else []
        compare("1 help", "0.25, half of llm", sides)

    def row2(self) -> None:
        """The first question on a document, nothing stored."""
        self._first()  # does not count
        sides = [Side("lcagent ask", lambda: self._first().cpu_s, self.repeats)]
        if self.llama_index:
            sides.append(
                Side("llama-index + FAISS + MiniLM", lambda: self._index().cpu_s, 1, is_peer=True)
            )
        compare("2 first question", "3, peer / 46", sides)

    def row3(self) -> None:
        """Another question on it, in a new process."""
        home = self._home()
        for question in (FIRST, SECOND):
            run(self._ask(question), LCAGENT_HOME=home)
        ask = lambda: run(self._ask(SECOND), LCAGENT_HOME=home).cpu_s  # noqa: E731
        sides = [Side("lcagent ask", ask, self.repeats)]
        if self.llama_index:
            self._last_index()
            sides.append(
                Side("llama-index", lambda: run(self._peer_ask()).cpu_s, self.repeats, is_peer=True)
            )
        compare("3 second question, new process", "1, peer / 5.4", sides)

    def row4(self) -> None:
        """All vectors of the document, by the same embedder."""
        whole: list[float] = []

        def vectors_alone() -> float:
            reading = run([LCAGENT, "docs", "add", self.pdf], LCAGENT_HOME=self._home())
            both = run([LCAGENT, "docs", "add", "--vectors", self.pdf], LCAGENT_HOME=self._home())
            whole.append(both.cpu_s)
            return both.cpu_s - reading.cpu_s

        sides = [Side("docs add --vectors less docs add", vectors_alone, 2)]
        if self.llama_index:
            peer = Side(
                "llama-index, embedding alone",
                lambda: _phase(self._index(), "embed"),
                1,
                is_peer=True,
            )
            peer.figures += [_phase(done, "embed") for done in self.indexed]
            sides.append(peer)
        compare("4 dense index", "40, peer / 3", sides)
        print(f"{'':63} docs add --vectors, all of it: {median(whole):.4g}")

    def row5(self) -> None:
        """Memory, by words only."""
        first = [self._first(LCAGENT_EMBEDDER="none") for _ in range(3)]
        sides = [Side("lcagent ask, largest process", iter([r.peak_mb for r in first]).__next__, 3)]
        together = iter([r.together_mb for r in first]).__next__
        sides.append(Side("lcagent ask, its processes together", together, 3))
        if self.llama_index:
            index = self._last_index()
            sides.append(
                Side("llama-index, first question", lambda: index.peak_mb, 1, is_peer=True)
            )
            second = Side(
                "llama-index, second question",
                lambda: run(self._peer_ask()).peak_mb,
                3,
                is_peer=True,
            )
            sides.append(second)
        compare("5 peak memory, words only", "300, peer / 4.4", sides, "MB")

    def row6(self) -> None:
        """The text of a PDF."""
        programs = {
            "lcagent, boxes and hidden text": READ_HERE,
            "the same, reading process and all": READ_APART,
            "PDFium alone, text only": READ_BARE,
        }
        commands = {name: [sys.executable, "-c", code, self.pdf] for name, code in programs.items()}
        if self.llama_index:
            commands["pypdf"] = [self.llama_index, PEER_SCRIPT, "read", self.pdf]
        sides = [
            Side(name, partial(_ms_per_page, command), self.repeats, is_peer=name == "pypdf")
            for name, command in commands.items()
        ]
        compare("6 PDF text", "2, pypdf / 6.7", sides, "CPU ms a page")

    def row7(self) -> None:
        """Another question in an open session: what depends on the question."""
        home = self._home()
        command = [sys.executable, "-c", ASK_AGAIN, self.pdf, FIRST, SECOND]
        done = [run(command, LCAGENT_HOME=home, LCAGENT_EMBEDDER="none") for _ in range(3)]
        phases = {
            "a search, its index built before": "search",
            "the same, the file looked at again": "both",
            "building the index": "build",
        }
        sides = [
            Side(name, iter([1000 * _phase(one, phase) for one in done]).__next__, len(done))
            for name, phase in phases.items()
        ]
        compare("7 second question, same process", "10", sides, "CPU ms")

    def _help(self, name: str, program: str, *, is_peer: bool = False) -> Side:
        environment = {"LLM_USER_PATH": str(self.folder), "PQA_HOME": str(self.folder)}
        command = [program, "--help"]
        run(command, **environment)
        return Side(name, lambda: run(command, **environment).cpu_s, 2 * self.repeats, is_peer)

    def _ask(self, question: str) -> Command:
        return [LCAGENT, "ask", self.pdf, question]

    def _first(self, **environment: str) -> Run:
        return run(
            self._ask(FIRST), is_watched=bool(environment), LCAGENT_HOME=self._home(), **environment
        )

    def _home(self) -> str:
        return tempfile.mkdtemp(dir=self.folder)

    def _peer_ask(self) -> Command:
        return [self.llama_index or "", PEER_SCRIPT, "ask", str(self.folder / "peer"), SECOND]

    def _index(self) -> Run:
        """Let the peer answer its first question; rows 3 and 5 use the last of these runs."""
        shutil.rmtree(self.folder / "peer", ignore_errors=True)
        store = str(self.folder / "peer")
        done = run([self.llama_index or "", PEER_SCRIPT, "index", self.pdf, store, FIRST])
        print(f"# llama-index: {done.output}", flush=True)
        self.indexed.append(done)
        return done

    def _last_index(self) -> Run:
        return self.indexed[-1] if self.indexed else self._index()


def _phase(done: Run, name: str) -> float:
    return float(json.loads(done.output)["cpu_s"][name])


def _ms_per_page(command: Command) -> float:
    done = run(command)
    return 1000 * _phase(done, "read") / int(json.loads(done.output)["pages"])


READ_HERE = """
import json, sys, time
from functools import partial
from pathlib import Path
from lcagent.retrieval.reading import pdf
before = time.process_time()
pages = list(pdf.read(Path(sys.argv[1])).pages)
print(json.dumps({"cpu_s": {"read": time.process_time() - before}, "pages": len(pages)}))
"""
READ_APART = """
import asyncio, json, os, sys
from functools import partial
from pathlib import Path
from lcagent.retrieval.reading.isolation import read_document
before = sum(os.times()[:4])
pages = asyncio.run(read_document(Path(sys.argv[1]), "id")).pages
print(json.dumps({"cpu_s": {"read": sum(os.times()[:4]) - before}, "pages": len(pages)}))
"""
ASK_AGAIN = """
import asyncio, json, sys, time
from lcagent.pipelines import Runtime

async def main():
    async with Runtime.open() as runtime:
        found = (await runtime.collect(sys.argv[1])).documents
        await runtime.retriever.prepare(found)
        spent = [time.process_time()]
        for question in sys.argv[2:4]:
            await runtime.retriever.over(found).search(question)
            spent.append(time.process_time())
        found = (await runtime.collect(sys.argv[1])).documents
        await runtime.retriever.over(found).search(sys.argv[2])
        spent.append(time.process_time())
    build, search, both = (after - before for before, after in zip(spent, spent[1:]))
    print(json.dumps({"cpu_s": {"build": build, "search": search, "both": both}}))

asyncio.run(main())
"""
READ_BARE = """
import json, sys, time
import pypdfium2
before = time.process_time()
pdf = pypdfium2.PdfDocument(sys.argv[1])
for page in pdf:
    text = page.get_textpage()
    text.get_text_range()
    text.close()
    page.close()
print(json.dumps({"cpu_s": {"read": time.process_time() - before}, "pages": len(pdf)}))
"""


def main() -> None:
    """Print the rows asked for."""
    options = _parse()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            pdf=str(options.pdf.resolve()),
            folder=Path(folder),
            repeats=options.repeats,
            llm=options.llm,
            pqa=options.pqa,
            llama_index=options.llama_index_python,
        )
        print(f"{options.pdf.name}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
        for number in options.rows:
            print(f"# load average {os.getloadavg()[0]:.1f}", flush=True)
            ROWS[number](bench)


ROWS = {number: getattr(Bench, f"row{number}") for number in range(1, 8)}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pdf", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--llm", metavar="PROGRAM")
    parser.add_argument("--pqa", metavar="PROGRAM")
    parser.add_argument("--llama-index-python", metavar="PYTHON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
