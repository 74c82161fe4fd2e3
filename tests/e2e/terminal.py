# SPDX-License-Identifier: Apache-2.0
"""A program at a terminal, and a test that types."""

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


def own_terminal():
    """In a child: its standard input is the terminal of a new session, which takes signals from it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Use as a context: at the end the program is gone."""

    def __init__(self, command, columns=200, **variables):
        self.text = ""  # What was printed and not yet expected.
        self.fd, slave = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 200, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=slave, stdout=slave, stderr=slave,
            preexec_fn=own_terminal,
            env={**os.environ, "TERM": "xterm", **variables},
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)

    def send(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text, seconds=20):
        """Reads until `text` was printed; returns what came up to its end."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            left = deadline - time.monotonic()
            assert left > 0 and self.read(left), f"no {text!r} in {self.text!r}"
        end = self.text.index(text) + len(text)
        found, self.text = self.text[:end], self.text[end:]
        return found

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:  # How Linux tells that the program has closed its side.
            assert error.errno == errno.EIO, error
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait(self, seconds=20):
        """The exit code."""
        while self.read(0.1):
            pass
        return self.process.wait(timeout=seconds)
