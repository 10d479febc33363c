"""A real HTTP server on loopback that can do everything wrong, and the file that it serves."""

import contextlib
import gzip
import hashlib
import http.server
import io
import re
import threading
import zipfile

CONTENT = b"recorded activity\n" * 20_000
HALF = len(CONTENT) // 2
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
SHA1 = "sha1:" + hashlib.sha1(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Please wait</body></html>"


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("unit.mat", CONTENT)
    return content.getvalue()


ZIPPED = zipped()


class Handler(http.server.BaseHTTPRequestHandler):
    """Call the method that the path names with the number of earlier requests of this path."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        with server.counting:
            asked = server.asked.setdefault(self.path, [])
            asked.append(dict(self.headers))
        name = self.path.strip("/").split("/")[0].replace("-", "_")
        getattr(self, name)(len(asked))

    def answer(self, status=200, body=b"", length=None, **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body) if length is None else length))
        for key, value in headers.items():
            if value is not None:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_range(self, content=CONTENT, **headers):
        """Send the requested part of the content, or all of it."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range", headers.get("ETag")) == headers.get("ETag")
        if not wanted or not unchanged:
            self.answer(200, content, **headers)
            return
        start = int(wanted[1])
        if start >= len(content):
            self.answer(416)
            return
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206, content[start:], Content_Range=place, **headers)

    def good(self, _):
        self.answer_range(ETag='"1"')

    def missing(self, _):
        self.answer(404)

    def forbidden(self, _):
        self.answer(403)

    def wrong(self, _):
        self.answer(200, CONTENT[:-1] + b".")

    def page(self, _):
        self.answer(200, PAGE, Content_Type="text/html")

    def short(self, _):
        # Without a length nothing but the content tells that it is cut short.
        self.answer(200, CONTENT[:HALF], Content_Length=None)

    def short_zip(self, _):
        self.answer(200, ZIPPED[:-30], Content_Length=None)

    def zip(self, _):
        self.answer(200, ZIPPED)

    def truncated(self, _):
        # Every time the same half, whatever is asked for.
        self.answer(200, CONTENT[:HALF], length=len(CONTENT))

    def drop(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
        else:
            self.answer_range(ETag='"1"')

    def drop_twice(self, n):
        if n == 1:
            self.answer(200, CONTENT[:100], length=len(CONTENT), Last_Modified="Tue, 1 Jul 2025")
        elif n == 2:
            place = f"bytes 100-{len(CONTENT) - 1}/{len(CONTENT)}"
            length = len(CONTENT) - 100
            self.answer(206, CONTENT[100:HALF], length=length, Content_Range=place)
        else:
            self.answer_range()

    def drop_without_range(self, n):
        part = CONTENT[:HALF] if n == 1 else CONTENT
        self.answer(200, part, length=len(CONTENT), ETag='"1"')

    def drop_and_change(self, n):
        # What came first is of another version of the file.
        if n == 1:
            self.answer(200, b"?" * HALF, length=len(CONTENT), ETag='"0"')
        else:
            self.answer_range(ETag='"1"')

    def drop_and_lie(self, n):
        # No word of a version, and the first half was of another.
        if n == 1:
            self.answer(200, b"?" * HALF, length=len(CONTENT))
        else:
            self.answer_range()

    def drop_and_shift(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
        elif n == 2:
            place = f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.answer(206, CONTENT, Content_Range=place, ETag='"1"')
        else:
            self.answer_range(ETag='"1"')

    def busy(self, n):
        if n == 1:
            self.answer(429, Retry_After="1")
        else:
            self.answer_range()

    def busy_for_long(self, _):
        self.answer(429, Retry_After="86400")

    def broken(self, n):
        self.answer(503 if n < 3 else 200, b"" if n < 3 else CONTENT)

    def stall(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
            self.server.stopping.wait()
        else:
            self.answer_range(ETag='"1"')

    def chunked(self, n):
        self.protocol_version = "HTTP/1.1"
        self.answer(200, Content_Length=None, Transfer_Encoding="chunked", Connection="close")
        for start in range(0, len(CONTENT) if n > 1 else HALF, 10_000):
            piece = CONTENT[start : start + 10_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n" if n > 1 else b"ffff\r\n")

    def endless(self, _):
        self.answer(200, Content_Length=None)
        with contextlib.suppress(OSError):
            while not self.server.stopping.is_set():
                self.wfile.write(CONTENT)

    def moved(self, _):
        # What a browser would show meanwhile, and nobody can read to its end.
        self.answer(302, Content_Length=None, Location="/good")
        with contextlib.suppress(OSError):
            for _ in range(500):
                self.wfile.write(CONTENT)
            self.server.read_whole.append(self.path)

    def inflating(self, _):
        packed = gzip.compress(bytes(20 * len(CONTENT)))
        self.answer(200, packed, Content_Encoding="gzip")

    def silent(self, _):
        self.server.stopping.wait()


class Server(http.server.ThreadingHTTPServer):
    """A server on loopback that records what it is asked, by path."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.counting = {}, threading.Lock()
        self.read_whole = []
        self.stopping = threading.Event()

    def handle_error(self, *_):
        """A client that gave up is no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def serving(server):
    """Serve in a thread, and release handlers that wait when it is over."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
