#!/usr/bin/env python3
"""Receives webhooks and verifies them with the Standard Webhooks library of another language.

    python webhook_receiver.py

Needs standardwebhooks. Prints its port, then one JSON line for each request. Each line on standard input tells it about a
path: {"path": "/a", "secrets": ["whsec_…"], "answers": [503, 200]}. What has no answer left is answered 200; "hang" never
answers, and [429, 3] asks for three seconds of patience. It ends when standard input does.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

paths = {}
output = threading.Lock()


def verified_by(secrets, body, headers):
    """Which of the secrets verify the request; every one of them should while two are alive."""
    verified = []
    for secret in secrets:
        try:
            Webhook(secret).verify(body, headers)
            verified.append(True)
        except WebhookVerificationError:
            verified.append(False)
    return verified


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        known = paths.get(self.path, {"secrets": [], "answers": []})
        answer = known["answers"].pop(0) if known["answers"] else 200
        tampered = body.replace(b"1.0", b"1.1", 1)
        heard = {
            "path": self.path,
            "id": headers["webhook-id"],
            "verified": verified_by(known["secrets"], body, headers),
            "tampered": verified_by(known["secrets"], tampered, headers),
            "event": json.loads(body),
        }
        with output:
            print(json.dumps(heard), flush=True)
        if answer == "hang":
            time.sleep(3600)
        status, patience = answer if isinstance(answer, list) else (answer, None)
        self.send_response(status)
        if patience is not None:
            self.send_header("retry-after", str(patience))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        paths[told["path"]] = {"secrets": told["secrets"], "answers": list(told.get("answers", []))}
        with output:
            print(json.dumps({"told": told["path"]}), flush=True)


main()
