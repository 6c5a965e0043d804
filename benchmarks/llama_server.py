"""llama.cpp's own server on this machine, for tests and measurements with a real model.

    .ci/real-models FOLDER
    FOLDER/venv/bin/python benchmarks/llama_server.py FOLDER/smollm2-135m.gguf --port 8101

`serving(FOLDER)` starts that command and ends it. One request at a time and one thread, so that the
same questions in the same order have the same answers; other processors may round differently.
"""

import argparse
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

WEIGHTS = "smollm2-135m.gguf"
PYTHON = Path("venv") / "bin" / "python"
CONTEXT_TOKENS = 8192
START_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        name: Of the model.
        base_url: As `--base-url` takes it.
    """

    name: str
    base_url: str
    window_tokens: int
    process: subprocess.Popen[bytes]

    @property
    def cpu_s(self) -> float:
        """Processor seconds that it has used; 0 where there is no /proc."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_installed(folder: Path) -> bool:
    """Say whether `.ci/real-models` has put weights and server into a folder."""
    return (folder / WEIGHTS).is_file() and (folder / PYTHON).exists()


@contextmanager
def serving(folder: Path, log: Path, weights: str = WEIGHTS) -> Iterator[RunningServer]:
    """Serve weights of a folder on a free port until the block ends; the output goes to `log`.

    Raises:
        RuntimeError: The server has ended, or does not answer in time.
    """
    port = _free_port()
    command = [folder / PYTHON, Path(__file__), folder / weights, "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_it_answers(process, f"http://127.0.0.1:{port}/health", log)
            url = f"http://127.0.0.1:{port}/v1"
            yield RunningServer(Path(weights).stem, url, CONTEXT_TOKENS, process)
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=10) as reply:  # noqa: S310 -- http, and ours
                if reply.status == 200:
                    return
        except (URLError, OSError):  # not there yet, or 503 while it loads
            time.sleep(0.1)
    said = log.read_text(errors="replace")[-2_000:]
    raise RuntimeError(f"llama.cpp's server does not answer; it said: {said}")


def main() -> None:
    """Serve until the process is terminated or its parent has ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="a GGUF file")
    parser.add_argument("--port", type=int, default=8101)
    parser.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="tokens of all slots")
    parser.add_argument("--parallel", type=int, default=1, help="requests at a time")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()

    import xllamacpp  # noqa: PLC0415 -- only the environment of the server has it

    parameters = xllamacpp.CommonParams()
    parameters.model.path = given.weights
    parameters.model_alias = {Path(given.weights).stem}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = given.port
    parameters.n_ctx = given.context
    parameters.n_parallel = given.parallel
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = given.threads
    parameters.warmup = False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)  # at once: the server would first finish what it writes for nobody


if __name__ == "__main__":
    main()
