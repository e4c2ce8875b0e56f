"""A small threaded HTTP/1.1 server on the loopback interface with kept-alive connections.

Werkzeug's own development server closes every connection after one answer, which would make each request pay for a
new one; its Request and Response are used here over our own read loop. Not a server for anything but the simulator.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Request, Response

from calsync.simulator.faults import ConnectionDropped

log = logging.getLogger(__name__)

App = Callable[[Request], Response]
Environ = dict[str, Any]  # the WSGI environment of PEP 3333 is untyped by design

MAX_LINE = 65_536
NO_BODY = frozenset({204, 304})


class PortInUse(OSError):
    """Another program listens on the wanted port already."""


class HttpServer:
    """Serves ``app`` on 127.0.0.1; ``port`` 0 takes a free one. One thread per connection."""

    def __init__(self, app: App, *, port: int = 0) -> None:
        self._app = app
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, name="simulator-accept", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting and cut every open connection."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = cast("BinaryIO", connection.makefile("rb", 65_536))
        with contextlib.suppress(OSError, ConnectionDropped), contextlib.closing(connection), reader:
            while not self._stopping and self._answer_one(connection, reader):
                pass
        with self._lock:
            self._open.discard(connection)

    def _answer(self, request: Request) -> Response:
        try:
            return self._app(request)
        except ConnectionDropped:
            raise
        except Exception:  # outermost line of a request: a defect of the simulator itself
            log.exception("simulator.defect method=%s path=%s", request.method, request.path)
            return Response("simulator defect, see its log", status=500)

    def _answer_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Serve one request; False when the connection shall end."""
        line = reader.readline(MAX_LINE)
        if not line.strip():
            return False
        environ = _read_head(line, reader, port=self.port)
        if environ is None:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ["wsgi.input"] = io.BytesIO(_read_body(environ, reader))
        try:
            response = self._answer(Request(environ))
        except ConnectionDropped as dropped:
            if dropped.begun is not None:
                whole = _render(dropped.begun, keep=False, head_only=False)
                connection.sendall(whole[: -(len(dropped.begun.get_data()) // 2 + 1)])
            return False
        keep = str(environ.get("HTTP_CONNECTION", "")).lower() != "close" and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        connection.sendall(_render(response, keep=keep, head_only=environ["REQUEST_METHOD"] == "HEAD"))
        return bool(keep)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"Port {port} on 127.0.0.1 is in use by another program; choose another port.") from error
        raise
    listener.listen(512)
    return listener


def _read_head(line: bytes, reader: BinaryIO, *, port: int) -> Environ | None:
    words = line.decode("latin-1").split()
    if len(words) != 3:
        return None
    method, target, protocol = words
    path, _, query = target.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": protocol,
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
    }
    _read_headers(environ, reader)
    return environ


def _read_headers(environ: Environ, reader: BinaryIO) -> None:
    while (line := reader.readline(MAX_LINE)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        key = name.strip().upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        value = value.strip()
        environ[key] = f"{environ[key]},{value}" if key in environ else value  # a repeated header is a comma list


def _read_body(environ: Environ, reader: BinaryIO) -> bytes:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = _read_chunks(reader)
    else:
        body = reader.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _read_chunks(reader: BinaryIO) -> bytes:
    chunks: list[bytes] = []
    while size := int(reader.readline(MAX_LINE).split(b";")[0] or b"0", 16):
        chunks.append(reader.read(size))
        reader.readline(MAX_LINE)
    while reader.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
        pass
    return b"".join(chunks)


def _render(response: Response, *, keep: bool, head_only: bool) -> bytes:
    body = b"" if response.status_code in NO_BODY else response.get_data()
    lines = [f"HTTP/1.1 {response.status}"]
    lines += [
        f"{name}: {value}" for name, value in response.headers if name.lower() not in ("content-length", "connection")
    ]
    if response.status_code not in NO_BODY:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: keep-alive" if keep else "Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return head if head_only else head + body
