"""Writes into the JUnit report what each test file was, so that `governance task done` knows what ran."""

import hashlib

import pytest
from _pytest.junitxml import xml_key


def pytest_configure(config: pytest.Config) -> None:
    """Note the files in the process that writes the report: the tests may run in others."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Evidence(config), "evidence")


class Evidence:
    """The digest of each test file, taken when its first test is heard of."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.digests: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear of a test, from here or from another process."""
        path = report.location[0]  # from the project's root, or up and out of it
        if path not in self.digests and not path.startswith(".."):
            content = (self.config.rootpath / path).read_bytes()
            self.digests[path] = hashlib.sha256(content).hexdigest()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hand the digests over before the report is written."""
        xml = self.config.stash.get(xml_key, None)
        if xml is None:
            return
        for path, digest in sorted(self.digests.items()):
            xml.add_global_property(f"sha256 {path}", digest)
