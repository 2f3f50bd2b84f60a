"""A real SMTP server (aiosmtpd) that misbehaves by the recipient's local part and writes what it took to a directory.

    python smtp_sink.py DIRECTORY            prints its port on the first line of its output, then serves until its input ends
    python smtp_sink.py DIRECTORY starttls CERTIFICATE KEY        takes mail only after STARTTLS; "implicit": encrypted at once

    gone@…        550 to RCPT, always                    full@…     451 to RCPT, the first time
    later@…       451 to DATA's end, the first time      never@…    554 to DATA's end, always
    crash@…       takes the message, then drops the connection before it answers, the first time
    mute@…        takes the message, then answers nothing for ever, the first time
    anybody else  250

One file per message taken, NNNN.eml, in the order they came; its first line names the recipients.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.count = 0
        self.seen = set()

    def first(self, address):
        """Whether this address comes for the first time."""
        known = address in self.seen
        self.seen.add(address)
        return not known

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "gone":
            return "550 5.1.1 no such user"
        if local == "full" and self.first(address):
            return "451 4.2.2 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local == "never":
            return "554 5.7.1 refused by policy"
        if local == "later" and self.first(envelope.rcpt_tos[0]):
            return "451 4.3.0 come back later"
        self.take(envelope)
        if local == "crash" and self.first(envelope.rcpt_tos[0]):
            server.transport.abort()
        if local == "mute" and self.first(envelope.rcpt_tos[0]):
            await asyncio.sleep(3600)
        return "250 2.0.0 taken as %d" % self.count

    def take(self, envelope):
        self.count += 1
        recipients = ", ".join(envelope.rcpt_tos).encode()
        unfinished = self.directory / ("%04d.unfinished" % self.count)
        unfinished.write_bytes(b"To-Envelope: " + recipients + b"\r\n" + envelope.content)
        unfinished.rename(self.directory / ("%04d.eml" % self.count))


async def main():
    sink = Sink(sys.argv[1])
    loop = asyncio.get_running_loop()
    mode, encryption = "", None
    if len(sys.argv) > 2:
        mode, encryption = sys.argv[2], ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        encryption.load_cert_chain(sys.argv[3], sys.argv[4])
    upgrade = {"tls_context": encryption, "require_starttls": True} if mode == "starttls" else {}
    at_once = encryption if mode == "implicit" else None
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="sink.example", loop=loop, **upgrade), "127.0.0.1", 0, ssl=at_once
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
