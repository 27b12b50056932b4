"""A PostgreSQL server of its own for the tests, where this machine has one installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


def binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


def why_not() -> str:
    """Return why the tests cannot have a server; empty where they can."""
    if binaries() is None:
        return "PostgreSQL's initdb and pg_ctl are not installed"
    if os.getuid() == 0 and not (shutil.which("setpriv") and _user()):
        return "PostgreSQL does not run as root, and there is no other user to run it as"
    return ""


def _user() -> str:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), "")


class Postgres:
    """A server on a free port of 127.0.0.1 that trusts everybody, with its data in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(
            tempfile.mkdtemp(prefix="irisrec-pg-", dir="/tmp")
        )  # the user must be able to reach it
        self.data = self.folder / "data"
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        if os.getuid() == 0:
            shutil.chown(self.folder, _user())
        self._run("initdb", "-A", "trust", "-U", "iris", "--no-sync", "-E", "UTF8", "-D", self.data)
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c shared_buffers=16MB -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-w", "-o", options, "-l", self.folder / "log", "start")

    def stop(self) -> None:
        """Stop at once, as a crash would."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url_of(database)

    def url_of(self, database: str) -> str:
        return f"postgresql://iris@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(binaries() / name), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={_user()}", "--clear-groups", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/tmp", timeout=60)
