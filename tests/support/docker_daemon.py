"""docker_daemon.py SOCKET FILE: answers docker's client as a daemon would that agrees to everything,
and writes the last container that it was asked to create into FILE."""

import http.server
import socketserver
import sys


class Daemon(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.answer(200, b"")

    def do_GET(self):
        self.answer(200, b"{}")

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "wb") as file:
            file.write(asked)
        self.answer(201, b'{"Id": "0123", "Warnings": []}')

    def log_message(self, *_):
        pass


socketserver.UnixStreamServer(sys.argv[1], Daemon).serve_forever()
