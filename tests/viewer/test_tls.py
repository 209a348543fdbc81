"""Pages by HTTPS, with a certificate that a person has made."""

from __future__ import annotations

import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from db import Repository, get_session

_MADE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_people_log_in_by_https_and_their_cookie_is_for_https_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    subprocess.run(_MADE.split(), cwd=tmp_path, check=True, capture_output=True)
    with get_session(sqlite_url) as session:
        token = Repository(session).add_person("Vic", "viewer")[1]
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    where = ("--db", sqlite_url, "--host", "0.0.0.0", "--port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "arena.cli", "view", *where, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address.startswith("https://0.0.0.0:")
            here = address.replace("0.0.0.0", "127.0.0.1").rstrip("/")
            trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
            with httpx.Client(verify=trusted, trust_env=False, timeout=120) as browser:
                assert browser.get(f"{here}/games").headers["location"] == "/login"
                entered = browser.post(
                    f"{here}/login", data={"token": token}, headers={"origin": here}
                )
                assert entered.status_code == 303
                assert "; secure" in entered.headers["set-cookie"].lower()
                assert browser.get(f"{here}/games").status_code == 200
            with pytest.raises(httpx.HTTPError):
                httpx.get(here.replace("https", "http"), trust_env=False, timeout=120)
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=300)
    assert "without TLS" not in said
    assert token not in said
