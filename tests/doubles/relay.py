"""A relay before a Postgres server that can be frozen: it takes connections and bytes, and passes nothing on."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Self

from psycopg import conninfo


class Relay:
    """`with Relay(url) as relay` gives `relay.url`, a TCP address of the server behind `url`, a Unix socket."""

    def __init__(self, url: str) -> None:
        facts = conninfo.conninfo_to_dict(url)
        self._target = str(Path(str(facts["host"])) / f".s.PGSQL.{facts.get('port') or 5432}")
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{facts.get('user') or 'postgres'}@127.0.0.1:{port}/{facts['dbname']}"
        self._flows, self._closing = threading.Event(), threading.Event()
        self._flows.set()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def freeze(self) -> None:
        """Pass nothing on."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass on what came meanwhile, and what comes."""
        self._flows.set()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for one in list(self._open):
            _end(one)
        for thread in self._threads:
            thread.join()
        for one in [self._listener, *self._open]:
            one.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            self._begin(self._connect, client)

    def _begin(self, work: object, *sockets: socket.socket) -> None:
        thread = threading.Thread(target=work, args=sockets, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _connect(self, client: socket.socket) -> None:
        self._flows.wait()
        server = socket.socket(socket.AF_UNIX)
        self._open.append(server)
        try:
            server.connect(self._target)
        except OSError:
            _end(client)
            return
        self._begin(self._pump, client, server)
        self._pump(server, client)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while passed := source.recv(65536):
                self._flows.wait()
                sink.sendall(passed)
        except OSError:
            time.sleep(0)
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
