"""Downloading from servers that break off, lie and change: whole and right, or not at all.

Every server here is a real one on 127.0.0.1; no test leaves this machine.
"""

import ast
import email.utils
import hashlib
import os
import pickle
import re
import shutil
import signal
import socket
import threading
import time
import zipfile
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

import relicheck
from relicheck.checkpoints import fetch as fetching
from relicheck.checkpoints import zoo
from relicheck.checkpoints.errors import BadCheckpoint, BadData, ManifestMismatch, MissingData
from relicheck.checkpoints.fetch import fetch
from relicheck.checkpoints.http_get import Failure, check_redirect
from relicheck.checkpoints.inspection import inspect
from relicheck.checkpoints.transfer import Patience

NAME = "byol_resnet50_1x"


def weights(seed, count=75_000):
    """A real file of 300 kB that relicheck can open: a pickle of one array."""
    values = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    return pickle.dumps({"conv1.weight": values}, protocol=4)


FILE, OTHER = weights(0), weights(1)
HALF = len(FILE) // 2
SHA256 = hashlib.sha256(FILE).hexdigest()


@dataclass
class Server:
    """What the next requests get (`answers`, the last one for good), and what was asked."""

    port: int
    answers: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def address(self, path="/weights.pkl"):
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ranges(self):
        """The Range header of every request, in order."""
        return [headers.get("Range") for _, headers in self.asked]


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with lock:
                running.asked.append((self.path, dict(self.headers.items())))
                answer = running.answers.pop(0) if len(running.answers) > 1 else running.answers[0]
            answer(self)

        def log_message(self, *_):
            pass

    lock = threading.Lock()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    running = Server(port=listening.server_port)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    for name in ("http_proxy", "https_proxy", "all_proxy", "RELICHECK_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path / "data"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def entry(server):
    return replace(zoo.read_published(NAME), downloads=(server.address(),), size="")


@pytest.fixture
def slept():
    return []


@pytest.fixture
def get(entry, slept):
    """Fetch the entry, with a clock that only counts; `said` has what the user is told."""

    def run(changed=entry, **options):
        patience = Patience(timeout=5.0, sleep=slept.append)
        return fetch(changed, patience=options.pop("patience", patience), **options)

    return run


def target_in(cache):
    return cache / NAME / "pretrain_res50x1.pkl"


def partial_in(cache):
    return cache / NAME / ".incoming" / "pretrain_res50x1.pkl"


# Answers of servers.


def send(handler, status, body=b"", **headers):
    handler.send_response(status)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Length": len(body), **named}.items():
        if value is not None:
            handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


def whole(content=FILE, **headers):
    """A server that knows nothing of ranges."""
    return lambda handler: send(handler, 200, content, **headers)


def ranged(content=FILE, etag='"first"', stop=None, **headers):
    """A server that goes on where it is asked to, if the version is still `etag`'s.

    Args:
        stop: offset at which the connection breaks off.
    """

    def answer(handler):
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        validator = headers.get("Last_Modified", etag)
        if asked and handler.headers.get("If-Range") == validator:
            start = int(asked[1])
            where = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            length = {"Content_Length": len(content) - start}
            send(handler, 206, content[start:stop], ETag=etag, **where, **length, **headers)
        else:
            length = {"Content_Length": len(content)}
            send(handler, 200, content[:stop], ETag=etag, **length, **headers)

    return answer


def status(code, **headers):
    return lambda handler: send(handler, code, b"no", **headers)


def redirect(to):
    return lambda handler: send(handler, 302, b"", Location=to)


# The ordinary way.


def test_a_file_arrives_whole_where_it_is_looked_for_and_nothing_else_stays(server, cache, get):
    server.answers = [whole()]

    fetched = get()

    assert fetched.new
    assert fetched.path == target_in(cache) == zoo.find_published(zoo.read_published(NAME))
    assert fetched.path.read_bytes() == FILE
    assert fetched.sha256 == SHA256
    beside = sorted(path.name for path in (cache / NAME).iterdir())
    assert beside == ["pretrain_res50x1.pkl", "received.json"]


def test_what_is_there_is_not_downloaded_again(server, get):
    server.answers = [whole()]
    get()

    again = get()

    assert not again.new
    assert len(server.asked) == 1


def test_a_folder_can_be_named(server, tmp_path, get):
    server.answers = [whole()]

    fetched = get(root=tmp_path / "mine")

    assert fetched.path == tmp_path / "mine" / NAME / "pretrain_res50x1.pkl"


def test_a_file_without_a_declared_length_arrives_too(server, get):
    server.answers = [whole(Content_Length=None)]

    assert get().path.read_bytes() == FILE


# Breaking off and going on.


def test_a_download_that_breaks_off_goes_on_where_it_was(server, get, slept):
    server.answers = [ranged(stop=HALF), ranged()]
    said = []

    fetched = get(say=said.append)

    assert fetched.path.read_bytes() == FILE
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.asked[1][1]["If-Range"] == '"first"'
    assert slept == [1.0]
    assert "broke off" in said[0]


def test_a_date_serves_where_a_server_has_no_tag(server, get):
    date = "Tue, 24 Nov 2020 12:00:00 GMT"
    answers = [ranged(etag=None, stop=stop, Last_Modified=date) for stop in (HALF, None)]
    server.answers = answers

    assert get().path.read_bytes() == FILE
    assert server.asked[1][1]["If-Range"] == date
    assert server.ranges[1] == f"bytes={HALF}-"


@pytest.mark.parametrize("etag", [None, 'W/"weak"'], ids=["no validator", "a weak one"])
def test_without_a_strong_validator_the_whole_file_is_asked_for_again(server, get, etag):
    # Two versions of one file under a weak tag would be glued together unnoticed.
    server.answers = [ranged(etag=etag, stop=HALF), ranged(etag=etag)]

    assert get().path.read_bytes() == FILE
    assert server.ranges == [None, None]


def test_a_server_that_ignores_ranges_is_read_from_the_beginning(server, get):
    server.answers = [ranged(stop=HALF), whole()]

    assert get().path.read_bytes() == FILE


def test_a_file_that_changed_meanwhile_is_never_glued_to_its_first_half(server, get):
    server.answers = [ranged(stop=HALF), ranged(OTHER, etag='"second"')]

    assert get().path.read_bytes() == OTHER


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content_Range": f"bytes 0-{len(FILE) - 1}/{len(FILE)}"},
        {"Content_Range": f"bytes {HALF}-{len(FILE) - 1}/{len(FILE) + 1}"},
        {"Content_Range": "bytes nonsense"},
        {},
    ],
    ids=["another offset", "another length", "unreadable", "none"],
)
def test_an_answer_with_another_range_than_was_asked_for_is_thrown_away(server, get, wrong):
    server.answers = [ranged(stop=HALF), lambda h: send(h, 206, FILE[HALF:], **wrong), ranged()]

    assert get().path.read_bytes() == FILE
    assert server.ranges == [None, f"bytes={HALF}-", None]


def test_a_range_the_server_cannot_satisfy_begins_the_file_anew(server, get):
    server.answers = [ranged(stop=HALF), status(416, Content_Range="bytes */10"), ranged()]

    assert get().path.read_bytes() == FILE
    assert server.ranges[2] is None


def test_an_interruption_keeps_what_came_and_the_next_run_goes_on(server, cache, get):
    def half_then_interrupt(handler):
        send(handler, 200, FILE[:HALF], ETag='"first"', Content_Length=len(FILE))
        while not partial_in(cache).is_file() or partial_in(cache).stat().st_size < HALF:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)  # the connection stays open: it is the user who ends it

    server.answers = [half_then_interrupt, ranged()]
    with pytest.raises(KeyboardInterrupt):
        get()
    assert partial_in(cache).read_bytes() == FILE[:HALF]
    assert not target_in(cache).exists()

    fetched = get()

    assert fetched.path.read_bytes() == FILE
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_a_download_that_was_whole_when_it_was_interrupted_is_not_asked_for_again(
    server, cache, get, monkeypatch
):
    server.answers = [ranged()]

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "write_received", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get()

    assert get().path.read_bytes() == FILE
    assert len(server.asked) == 1


def test_the_beginning_of_another_address_is_not_gone_on_with(server, get, entry):
    moved = replace(entry, downloads=(server.address("/moved.pkl"),))
    server.answers = [ranged(stop=HALF)]
    with pytest.raises(MissingData):
        get(patience=Patience(attempts=1))

    server.answers = [ranged(OTHER)]
    assert get(moved).path.read_bytes() == OTHER
    assert server.ranges[-1] is None


def test_a_server_that_always_breaks_off_is_given_up_and_the_beginning_is_kept(
    server, cache, get, slept
):
    server.answers = [ranged(stop=HALF)]

    with pytest.raises(MissingData, match=rf"5 times in a row; the {HALF:,} bytes that came"):
        get()

    assert slept == [1.0, 2.0, 4.0, 8.0]
    assert partial_in(cache).read_bytes() == FILE[:HALF]


def test_attempts_that_bring_a_mebibyte_are_not_counted_as_failures(server, get):
    big = weights(2, count=2_000_000)  # 8 MB, broken off after each of its megabytes
    steps = range(1_100_000, len(big), 1_100_000)
    server.answers = [*(ranged(big, stop=stop) for stop in steps), ranged(big)]

    fetched = get()

    assert len(server.asked) == len(steps) + 1 == 8
    assert fetched.path.read_bytes() == big


def test_a_server_that_stops_sending_is_left_after_a_while(server, get, slept):
    def stalling(handler):
        send(handler, 200, FILE[:HALF], ETag='"first"', Content_Length=len(FILE))
        released.wait(5)

    released = threading.Event()
    server.answers = [stalling, ranged()]

    fetched = get(patience=Patience(timeout=0.2, sleep=slept.append))
    released.set()

    assert fetched.path.read_bytes() == FILE
    assert server.ranges[1] == f"bytes={HALF}-"


def test_a_chunked_answer_that_breaks_off_is_asked_for_again(server, get):
    def chunked(handler, end=b""):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(f"{len(FILE):x}\r\n".encode() + FILE + b"\r\n" + end)

    server.answers = [chunked, lambda handler: chunked(handler, b"0\r\n\r\n")]

    assert get().path.read_bytes() == FILE
    assert len(server.asked) == 2


# Lies about the length.


def test_a_length_that_is_too_long_is_a_connection_that_breaks_off(server, get):
    server.answers = [whole(Content_Length=len(FILE) + 100)]

    with pytest.raises(MissingData, match=f"of {len(FILE) + 100:,} bytes"):
        get()


def test_a_length_that_is_too_short_is_found_by_the_published_hash(server, cache, get, entry):
    server.answers = [whole(Content_Length=HALF)]

    with pytest.raises(BadCheckpoint, match="not the published file"):
        get(replace(entry, sha256=SHA256))

    assert not target_in(cache).exists()
    assert not partial_in(cache).exists()


def test_a_length_that_is_too_short_is_found_by_opening_the_file(server, cache, get):
    # No hash is published for this one: what was received ends in the middle of its array.
    server.answers = [whole(Content_Length=HALF)]

    with pytest.raises(BadCheckpoint, match="not the published file"):
        get()

    assert not target_in(cache).exists()


def test_an_empty_file_is_no_checkpoint(server, get):
    server.answers = [whole(b"")]

    with pytest.raises(MissingData, match="empty file"):
        get()


def test_a_file_far_from_the_stated_size_is_refused(server, get, entry):
    server.answers = [whole()]

    with pytest.raises(BadCheckpoint, match=r"300,\d+ bytes. Wanted: about 570 MB"):
        get(replace(entry, size="570 MB"))


# The wrong bytes.


@pytest.mark.parametrize("stated", ["sha256", "sha256_prefix", "md5_prefix"])
def test_other_bytes_than_the_published_ones_are_thrown_away(server, cache, get, entry, stated):
    kind, _, prefix = stated.partition("_")
    digest = hashlib.new(kind, FILE).hexdigest()
    stating = replace(entry, **{stated: digest[:8] if prefix else digest})
    server.answers = [whole(OTHER), whole()]

    with pytest.raises(BadCheckpoint, match=f"{kind} {hashlib.new(kind, OTHER).hexdigest()[:16]}"):
        get(stating)

    assert not target_in(cache).exists()
    assert get(stating).path.read_bytes() == FILE


def test_a_web_page_is_not_taken_for_a_checkpoint(server, cache, get):
    page = b"<!DOCTYPE html><html><title>Sign up\n today</title></html>"
    server.answers = [whole(page, Content_Type="application/octet-stream")]

    with pytest.raises(MissingData, match=r"a web page \(Sign up today\), not a checkpoint"):
        get()

    assert not partial_in(cache).exists()
    assert len(server.asked) == 1


def test_a_checkpoint_that_is_called_a_web_page_is_one_all_the_same(server, get):
    server.answers = [whole(Content_Type="text/html")]

    assert get().path.read_bytes() == FILE


def test_a_compressed_answer_is_refused(server, get):
    server.answers = [whole(Content_Encoding="gzip")]

    with pytest.raises(MissingData, match="compressed"):
        get()


def test_bytes_that_differ_from_those_received_the_first_time_are_refused(server, cache, get):
    server.answers = [whole()]
    target = get().path
    target.unlink()
    server.answers = [whole(OTHER)]

    with pytest.raises(BadCheckpoint, match=r"now gives other bytes.*as received before"):
        get()
    assert not target.exists()

    (cache / NAME / "received.json").unlink()
    assert get().path.read_bytes() == OTHER


def test_a_file_that_changed_on_this_machine_is_refused(server, get, entry):
    server.answers = [whole()]
    path = get().path
    path.write_bytes(OTHER)

    with pytest.raises(BadCheckpoint, match="it changed since it was downloaded"):
        get()
    with pytest.raises(BadCheckpoint, match="it changed since it was downloaded"):
        zoo.find_published(entry)


# Google Drive.

CONFIRM = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head>
<body><p>Google Drive can't scan this file for viruses.</p>
<form id="download-form" action="{action}" method="get">
<input type="submit" id="uc-download-link" value="Download anyway"/>
<input type="hidden" name="id" value="1PqL&amp;S"><input type="hidden" name="confirm" value="t">
<input type="hidden" name="uuid" value="abc-1"></form></body></html>"""


def page(text):
    return whole(text.encode(), Content_Type="text/html; charset=utf-8")


def test_the_button_of_drives_page_is_pressed_once(server, get):
    server.answers = [page(CONFIRM.format(action=server.address("/download"))), ranged()]

    assert get().path.read_bytes() == FILE
    assert server.asked[1][0] == "/download?id=1PqL%26S&confirm=t&uuid=abc-1"


def test_a_download_behind_the_button_goes_on_too(server, get):
    button = page(CONFIRM.format(action=server.address("/download")))
    server.answers = [button, ranged(stop=HALF), button, ranged()]

    assert get().path.read_bytes() == FILE
    assert server.ranges[3] == f"bytes={HALF}-"


@pytest.mark.parametrize("action", ["http://127.0.0.1:9/elsewhere", "file:///etc/passwd", ""])
def test_a_button_that_leads_elsewhere_is_not_pressed(server, get, action):
    server.answers = [page(CONFIRM.format(action=action))]

    with pytest.raises(MissingData, match="asks whether to download without a virus scan"):
        get()
    assert len(server.asked) == 1


def test_a_button_behind_the_button_is_not_pressed(server, get):
    server.answers = [page(CONFIRM.format(action=server.address("/download")))]

    with pytest.raises(MissingData, match="virus scan"):
        get()
    assert len(server.asked) == 2


def test_drives_page_of_too_many_downloads_is_named_with_what_to_do(server, cache, get, entry):
    quota = "<html><title>Google Drive - Quota exceeded</title><p>Too many users have viewed"
    server.answers = [page(quota)]

    with pytest.raises(MissingData) as error:
        get()

    assert "try tomorrow" in str(error.value)
    assert f"download {entry.address} to {target_in(cache)}" in str(error.value)


# Servers that refuse.


@pytest.mark.parametrize(
    ("code", "words"),
    [(401, "not public"), (403, "refuses"), (404, "no longer"), (410, "no longer")],
)
def test_a_refusal_is_not_asked_for_again(server, get, slept, code, words):
    server.answers = [status(code)]

    with pytest.raises(MissingData, match=rf"{code} \(.*{words}"):
        get()

    assert len(server.asked) == 1
    assert slept == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(server, get, slept, code):
    server.answers = [status(code), status(code), whole()]

    assert get().path.read_bytes() == FILE
    assert slept == [1.0, 2.0]


def test_a_server_that_names_a_time_is_given_it(server, get, slept):
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    server.answers = [status(429, Retry_After="7"), status(503, Retry_After=date), whole()]

    assert get().path.read_bytes() == FILE
    assert slept[0] == 7.0
    assert 25 < slept[1] <= 30


def test_a_server_that_wants_an_hour_is_left_alone(server, get, slept):
    server.answers = [status(429, Retry_After="3600")]

    with pytest.raises(MissingData, match="come back in 60 minutes"):
        get()
    assert slept == []


# Redirects.


def test_a_redirect_is_followed_with_the_range(server, get):
    moved = redirect("/moved.pkl")
    server.answers = [moved, ranged(stop=HALF), moved, ranged()]

    assert get().path.read_bytes() == FILE
    assert [path for path, _ in server.asked[2:]] == ["/weights.pkl", "/moved.pkl"]
    assert server.ranges[3] == f"bytes={HALF}-"


@pytest.mark.parametrize("to", ["/weights.pkl", "/{}"], ids=["a circle", "ever on"])
def test_redirects_have_an_end(server, get, to):
    server.answers = [lambda handler: redirect(to.format(len(server.asked)))(handler)]

    with pytest.raises(MissingData, match="redirects in a circle, or more than 5 times"):
        get()
    assert len(server.asked) <= 6


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/weights.pkl", "data:,x"])
def test_a_redirect_out_of_the_web_is_not_followed(server, get, to):
    server.answers = [redirect(to)]

    with pytest.raises(MissingData, match="neither http nor https"):
        get()
    assert len(server.asked) == 1


def test_a_redirect_never_leads_from_https_down_to_http():
    with pytest.raises(Failure, match="from https to plain http"):
        check_redirect("https://one.example/a", "http://one.example/a")
    check_redirect("http://one.example/a", "https://two.example/a")


# No network.


def test_offline_nothing_is_asked_and_the_message_says_what_to_put_where(
    server, cache, get, entry, monkeypatch
):
    monkeypatch.setenv("RELICHECK_OFFLINE", "1")

    with pytest.raises(MissingData) as error:
        get(replace(entry, size="570 MB"))

    assert server.asked == []
    assert not cache.exists()
    for told in ("RELICHECK_OFFLINE", "pretrain_res50x1.pkl", "570 MB", "CC-BY-NC-4.0",
                 "non-commercial use only", entry.address, str(target_in(cache))):  # fmt: skip
        assert told in str(error.value)


def test_a_file_put_there_by_hand_is_taken_offline(cache, get, monkeypatch):
    monkeypatch.setenv("RELICHECK_OFFLINE", "1")
    target_in(cache).parent.mkdir(parents=True)
    target_in(cache).write_bytes(FILE)

    assert get().path == target_in(cache)


def test_a_machine_without_a_network_is_told_so_at_once(get, slept, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(MissingData, match="no network, or no such server"):
        get()
    assert slept == []


def test_a_server_that_is_down_is_asked_a_few_times(get, entry, slept):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(MissingData, match="connection failed"):
        get(replace(entry, downloads=(f"http://127.0.0.1:{port}/x.pkl",)))
    assert len(slept) == 4


def test_only_one_module_opens_connections_and_only_fetch_leads_there():
    package = Path(relicheck.__file__).parent
    folders = ("checkpoints", "evaluations", "pretrain", "reports")
    network = {"urllib.request", "http.client", "socket", "ssl", "ftplib", "requests", "httpx"}
    found = {}
    for path in (path for folder in folders for path in (package / folder).rglob("*.py")):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {
            name
            for node in tree
            for name in (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            )
        }  # fmt: skip
        if names & network:
            found[path.stem] = names & network

    # transfer.py names the type of an answer; what opens connections is in http_get.py.
    assert found.keys() == {"http_get", "transfer"}
    assert found["transfer"] == {"http.client"}


# Two at once, and a full disk.


def test_two_fetches_at_once_download_once(server, get):
    def slowly(handler):
        arrived.set()
        released.wait(5)
        whole()(handler)

    arrived, released, said, fetched = threading.Event(), threading.Event(), [], []
    server.answers = [slowly]
    first = threading.Thread(target=lambda: fetched.append(get()))
    second = threading.Thread(target=lambda: fetched.append(get(say=said.append)))
    first.start()
    arrived.wait(5)
    second.start()
    while not said:
        time.sleep(0.001)
    released.set()
    first.join()
    second.join()

    assert "another process is fetching it" in said[0]
    assert sorted(one.new for one in fetched) == [False, True]
    assert len(server.asked) == 1


def test_a_disk_without_room_is_named_before_anything_is_written(server, cache, get, monkeypatch):
    server.answers = [whole()]
    usage = shutil.disk_usage("/")._replace(free=len(FILE))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(BadData, match=r"0\.0 GB are free on its disk.*0\.3 GB.*RELICHECK_CACHE"):
        get()
    assert not partial_in(cache).exists()


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path, get):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadData, match="--to"):
        get(root=tmp_path / "file")


# Checkpoints of several files, and those that come in an archive.


@pytest.fixture
def parts(server):
    """An entry of two files in one folder, as model hubs keep them, and their contents."""
    contents = {
        "/config.json": b'{"model_type": "resnet"}',
        "/model.safetensors": save({"w": np.random.default_rng(3).random(40_000)}),
    }
    entry = replace(
        zoo.read_published("simclrv2_resnet50_1x"),
        downloads=tuple(server.address(path) for path in contents),
    )
    return entry, contents


def test_a_checkpoint_of_several_files_is_one_folder(server, cache, get, parts):
    entry, contents = parts
    config, tensors = contents.values()
    # The second breaks off, and goes on; the first is not asked for again.
    server.answers = [ranged(config), ranged(tensors, stop=1000), ranged(tensors)]

    fetched = get(entry)

    assert fetched.path == cache / entry.name / "pretrained_r50_1x_sk0"
    assert {f"/{p.name}": p.read_bytes() for p in fetched.path.iterdir()} == contents
    assert [path for path, _ in server.asked] == [*contents, "/model.safetensors"]
    assert fetched.bytes == len(config) + len(tensors)
    assert get(entry).new is False


def test_of_several_files_one_alone_is_not_the_checkpoint(server, cache, get, parts):
    entry, contents = parts
    server.answers = [ranged(contents["/config.json"]), status(404)]

    with pytest.raises(MissingData) as error:
        get(entry)

    assert zoo.locate_published(entry) is None
    assert all(address in str(error.value) for address in entry.downloads)
    assert f"into the folder {cache / entry.name / entry.file}" in str(error.value)


@pytest.fixture
def archive(server, tmp_path):
    """An entry that comes as a .zip of a TensorFlow checkpoint, and the archive."""
    genuine = Path(__file__).parent / "files" / "tensorflow"
    path = tmp_path / "ResNet50_1x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for end in ("index", "data-00000-of-00001"):
            packed.write(genuine / f"resnet18.{end}", f"ResNet50_1x/model.ckpt-1.{end}")
        packed.writestr("ResNet50_1x/checkpoint", b"")
        packed.writestr("ResNet50_1x/hub/saved_model.pb", b"module")
    address = server.address("/checkpoints/ResNet50_1x.zip")
    return replace(zoo.read_published("simclr_resnet50_1x"), downloads=(address,)), path


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_the_checkpoint_is_taken_out_of_its_archive(server, cache, get, archive):
    entry, path = archive
    server.answers = [ranged(path.read_bytes())]

    fetched = get(entry)

    assert fetched.path == cache / entry.name / "ResNet50_1x"
    assert files_in(fetched.path) == ["model.ckpt-1.data-00000-of-00001", "model.ckpt-1.index"]
    assert zoo.published_with(fetched.sha256).name == entry.name


def test_a_fetched_file_with_another_network_than_the_entrys_is_refused(server, get, archive):
    entry, path = archive
    server.answers = [ranged(path.read_bytes())]

    with pytest.raises(ManifestMismatch, match=r"holds ResNet-18 .* Wanted: ResNet-50 1x"):
        inspect(get(entry).path)


def test_an_archive_put_there_by_hand_is_unpacked_offline_and_kept(
    cache, get, archive, monkeypatch
):
    entry, path = archive
    monkeypatch.setenv("RELICHECK_OFFLINE", "1")
    with pytest.raises(MissingData) as error:
        get(entry)
    place = cache / entry.name / "ResNet50_1x.zip"
    assert f"to {place};" in str(error.value)

    place.parent.mkdir(parents=True)
    shutil.copyfile(path, place)

    assert files_in(get(entry).path)
    assert place.is_file()


def test_a_damaged_archive_put_there_by_hand_is_named_and_kept(cache, get, archive):
    entry, _ = archive
    place = cache / entry.name / "ResNet50_1x.zip"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"PK\x03\x04 and then nothing")

    with pytest.raises(BadCheckpoint, match=f"damaged archive.*Delete {place}"):
        get(entry)
    assert place.is_file()
