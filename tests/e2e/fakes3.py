"""tests/s3/fakes3.py as a process of its own, for the end-to-end tests."""
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request

from node import ROOT, WAIT, check


class NamedS3:
    """A server that S3_ENDPOINT, S3_KEY and S3_SECRET name, with the bucket skerry-test: only tests that need no fault of it run."""

    @staticmethod
    def given():
        return "S3_ENDPOINT" in os.environ

    def __init__(self):
        self.env = {"SKERRY_S3_ENDPOINT": os.environ["S3_ENDPOINT"], "SKERRY_S3_ACCESS_KEY": os.environ.get("S3_KEY", "testak"),
                    "SKERRY_S3_SECRET_KEY": os.environ.get("S3_SECRET", "testsk1234567890")}

    @staticmethod
    def url(label):
        return f"s3://skerry-test/{label}-{secrets.token_hex(4)}"


class FakeS3:
    """tests/s3/fakes3.py; stopped and started again it has forgotten its objects, so it is paused instead."""

    def __init__(self):
        self.port = 22000 + os.getpid() % 8000
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([sys.executable, os.path.join(ROOT, "tests/s3/fakes3.py"), str(self.port)],
                                        env=dict(os.environ, FAKES3_BUCKETS="skerry-test"), stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.stats()
                break
            except OSError:
                time.sleep(0.1)
        self.env = {"SKERRY_S3_ENDPOINT": self.endpoint, "SKERRY_S3_ACCESS_KEY": "testak",
                    "SKERRY_S3_SECRET_KEY": "testsk1234567890"}

    def counts(self):
        """Requests by method, and by method and status."""
        return json.loads(urllib.request.urlopen(self.endpoint + "/_stats", timeout=5).read())["stat"]

    def quiet(self, seconds):
        """Until so long nobody asked anything."""
        end = time.time() + WAIT
        while True:
            before = self.counts()
            time.sleep(seconds)
            if self.counts() == before:
                return
            check(time.time() < end, f"requests go on: {before}")

    def stats(self):
        stat = self.counts()
        return sum(stat.get(k, 0) for k in ("GET", "HEAD", "PUT", "POST", "DELETE"))

    def admin(self, path):
        urllib.request.urlopen(urllib.request.Request(self.endpoint + path, method="POST"), timeout=5).read()
