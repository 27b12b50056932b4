"""A small server on 127.0.0.1 that answers as it is told, also badly."""

import hashlib
import io
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from PIL import Image


def picture(colour=(200, 30, 30), size=(40, 60), form="JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").point(lambda v: min(255, v + colour[0] // 4)).save(
        buffer, form
    )
    return buffer.getvalue()


class Answers:
    """What the server holds and how it behaves; ``asked`` keeps every request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.scripts: defaultdict[str, list[Callable]] = defaultdict(list)
        self.handlers: dict[str, Callable] = {}
        self.asked: list[tuple[str, dict[str, str], dict[str, list[str]]]] = []
        self.ranges = True
        self.tags = True
        self.under_way = 0
        self.most_under_way = 0
        self.lock = threading.Lock()

    def paths(self) -> Counter:
        return Counter(path for path, _, _ in self.asked)

    def then(self, path: str, *behaviours: Callable) -> None:
        """Queue behaviours for a path: each is used once, then the file is served as it should be."""
        self.scripts[path] += behaviours


def status(code: int, body: bytes = b"", **headers: str) -> Callable:
    def behave(handler, answers) -> None:
        handler.send(code, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return behave


def cut_after(count: int) -> Callable:
    """Promise the whole file and close after some bytes of what was asked for."""

    def behave(handler, answers) -> None:
        handler.serve(answers, cut=count)

    return behave


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        answers: Answers = self.server.answers
        parts = urlsplit(self.path)
        with answers.lock:
            answers.asked.append((parts.path, dict(self.headers), parse_qs(parts.query)))
            answers.under_way += 1
            answers.most_under_way = max(answers.most_under_way, answers.under_way)
            script = answers.scripts.get(parts.path)
            behaviour = script.pop(0) if script else None
        try:
            if behaviour:
                behaviour(self, answers)
            elif parts.path in answers.handlers:
                answers.handlers[parts.path](self, parse_qs(parts.query))
            else:
                self.serve(answers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with answers.lock:
                answers.under_way -= 1

    def send(self, code: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        headers = {"Content-Length": str(len(body))} | (headers or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve(self, answers: Answers, cut: int | None = None) -> None:
        """Serve a file as a good server would: ranges, If-Range, ETag."""
        path = urlsplit(self.path).path
        if path not in answers.files:
            self.send(404, b"no such file")
            return
        data = answers.files[path]
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"ETag": tag} if answers.tags else {}
        start, code = 0, 200
        wanted = self.headers.get("Range")
        if wanted and answers.ranges and self.headers.get("If-Range") in (None, tag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self.send(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
                return
            code = 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body = data[start:]
        headers["Content-Length"] = str(len(body))
        if cut is not None:
            self.send(code, body[:cut], headers)
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.send(code, body, headers)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = Answers()

    def handle_error(self, request, client_address) -> None:
        """Clients that hang up are part of the tests."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
