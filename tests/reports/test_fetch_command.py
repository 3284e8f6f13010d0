"""`relicheck fetch`: what a user sees. Downloading itself: tests/checkpoints/test_fetch.py."""

import hashlib
import json
import os
import pickle
import signal
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck import load_checkpoint
from relicheck.checkpoints import zoo
from relicheck.evaluations import label_lists
from relicheck.reports.cli import run

DATA = Path(os.environ.get("RELICHECK_DATA", "data"))  # before the tests' own is set
NAME, FILE = "byol_resnet50_1x", "pretrain_res50x1.pkl"


@pytest.fixture
def offered(tmp_path):
    """A folder that a server on this machine offers, and the server's address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def copyfile(self, source, outputfile):
            if self.server.sends is not None:
                self.server.sends(source, outputfile)
            else:
                super().copyfile(source, outputfile)

    folder = tmp_path / "offered"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    server.daemon_threads = True
    server.sends = None  # in place of the whole file
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}", server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def machine(monkeypatch, offered, tmp_path):
    """A machine with nothing on it, for which the entries' files lie on the server above."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "RELICHECK_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path / "nothing"))
    read = zoo.read_published

    def here(name):
        entry = read(name)
        return replace(entry, downloads=(f"{offered[1]}/{entry.file}",), size="")

    monkeypatch.setattr(zoo, "read_published", here)
    return tmp_path


def weights():
    return pickle.dumps({"w": np.random.default_rng(0).random(1000)}, protocol=4)


def test_the_licence_is_told_before_and_the_place_after(offered, machine, capsys):
    (offered[0] / FILE).write_bytes(weights())

    assert run(["fetch", NAME]) == 0

    out, err = capsys.readouterr()
    assert out == f"{NAME}  fetched  0.0 MB  {machine / 'cache' / 'weights' / NAME / FILE}\n"
    assert "BYOL, ResNet-50 1x" in err
    assert "CC-BY-NC-4.0: non-commercial use only" in err


def test_what_is_here_is_said_to_be_here(offered, capsys):
    (offered[0] / FILE).write_bytes(weights())
    run(["fetch", NAME])
    capsys.readouterr()

    assert run(["fetch", NAME]) == 0
    out, err = capsys.readouterr()
    assert f"{NAME}  was here" in out
    assert err == ""
    assert run(["list", "checkpoints"]) == 0
    listed = capsys.readouterr().out
    assert listed.count(", here)") == 1
    assert listed.count(", not here)") == len(zoo.published_names()) - 1


def test_programs_get_json(offered, capsys):
    (offered[0] / FILE).write_bytes(weights())

    assert run(["fetch", NAME, "--json"]) == 0

    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["bytes"] == len(weights())
    assert facts["new"] is True
    assert len(facts["sha256"]) == 64


def test_a_dry_run_says_from_where_to_where_and_does_nothing(offered, machine, capsys):
    assert run(["fetch", NAME, "--dry-run"]) == 0

    out = capsys.readouterr().out
    assert f"from     {offered[1]}/{FILE}" in out
    assert str(machine / "cache" / "weights" / NAME / FILE) in out
    assert "no hash is published" in out
    assert not (machine / "cache").exists()


def test_a_folder_can_be_named(offered, machine, capsys):
    (offered[0] / FILE).write_bytes(weights())

    assert run(["fetch", NAME, "--to", str(machine / "mine")]) == 0
    assert (machine / "mine" / NAME / FILE).is_file()


def test_one_that_fails_does_not_keep_the_others_away(offered, machine, capsys):
    (offered[0] / FILE).write_bytes(weights())

    assert run(["fetch", "detcon_b_resnet50", NAME]) == 2

    out, err = capsys.readouterr()
    assert out.startswith(f"{NAME}  fetched")
    assert "relicheck: detcon_b_resnet50: the server answers 404" in err
    assert "Traceback" not in err


def test_every_failure_is_told(capsys):
    assert run(["fetch", "detcon_b_resnet50", "detcon_b_resnet200"]) == 2

    assert capsys.readouterr().err.count("the server answers 404") == 2


def test_a_wrong_name_gets_the_nearest_before_anything_is_downloaded(machine, capsys):
    assert run(["fetch", NAME, "byol_resnet50"]) == 2

    assert f"Did you mean '{NAME}'" in capsys.readouterr().err
    assert not (machine / "cache").exists()


def test_without_a_name_the_command_says_what_it_wants(capsys):
    assert run(["fetch"]) == 2
    assert "NAME" in capsys.readouterr().err


def test_offline_the_message_says_what_to_put_where(machine, monkeypatch, capsys):
    monkeypatch.setenv("RELICHECK_OFFLINE", "1")

    assert run(["fetch", NAME]) == 2

    err = capsys.readouterr().err
    assert str(machine / "cache" / "weights" / NAME / FILE) in err
    assert "https://storage.googleapis.com/deepmind-byol/" in err


def test_ctrl_c_ends_it_with_130_and_the_same_command_goes_on(offered, machine, capsys):
    (offered[0] / FILE).write_bytes(weights())
    incoming = machine / "cache" / "weights" / NAME / ".incoming" / FILE
    ended = threading.Event()

    def half_then_interrupt(source, outputfile):
        outputfile.write(source.read(4000))
        while not incoming.is_file() or incoming.stat().st_size < 4000:
            ended.wait(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        ended.wait(5)  # the server would go on

    offered[2].sends = half_then_interrupt
    assert run(["fetch", NAME]) == 130
    ended.set()
    assert "the same command goes on from there" in capsys.readouterr().err
    assert incoming.read_bytes() == weights()[:4000]

    offered[2].sends = None
    assert run(["fetch", NAME]) == 0


def test_a_published_checkpoint_is_fetched_and_opened_by_its_name(offered, capsys):
    published = DATA / "weights" / "resnet20-12fca82f.th"
    if not published.is_file():
        pytest.skip(f"no {published}")
    (offered[0] / published.name).write_bytes(published.read_bytes())

    assert run(["fetch", "akamaster_resnet20"]) == 0

    network = load_checkpoint("akamaster_resnet20")
    assert network.manifest.licence == "BSD-2-Clause"
    assert network.manifest.warnings == ()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


LIST = "simclr_imagenet_1percent"


@pytest.fixture
def listed(offered, monkeypatch):
    """Let the 1 % list lie on the server above, under the hash of the bytes it is made of."""

    def offer(content, sha256=None):
        (offered[0] / "1percent.txt").write_bytes(content)
        known = replace(
            label_lists.LABEL_LISTS[LIST], sha256=sha256 or hashlib.sha256(content).hexdigest()
        )
        monkeypatch.setitem(label_lists.LABEL_LISTS, LIST, known)
        monkeypatch.setattr(label_lists, "_ADDRESS", offered[1])

    return offer


def test_a_list_of_labelled_images_is_fetched_checked_and_found(listed, machine, capsys):
    listed(b"n01440764_10026.JPEG\n")

    assert run(["fetch", LIST]) == 0
    assert f"{LIST}  fetched" in capsys.readouterr().out
    assert label_lists.read_list(LIST) == ["n01440764_10026.JPEG"]
    assert list((machine / "cache" / "metadata" / ".incoming").iterdir()) == []

    assert run(["fetch", LIST]) == 0
    assert f"{LIST}  was here" in capsys.readouterr().out


def test_another_list_than_the_published_one_is_refused_and_removed(listed, machine, capsys):
    listed(b"n01440764_1.JPEG\n", sha256="0" * 64)

    assert run(["fetch", LIST]) == 2

    err = capsys.readouterr().err
    assert "what arrived has the SHA-256" in err
    assert "0" * 64 in err
    assert not (machine / "cache" / "metadata" / f"{LIST}.txt").exists()


def test_a_list_that_cannot_be_had_says_what_to_put_where(listed, machine, monkeypatch, capsys):
    listed(b"n01440764_1.JPEG\n")
    monkeypatch.setenv("RELICHECK_OFFLINE", "1")

    assert run(["fetch", LIST]) == 2
    assert str(machine / "cache" / "metadata" / f"{LIST}.txt") in capsys.readouterr().err


def test_a_dry_run_of_a_list_says_its_hash(capsys):
    assert run(["fetch", LIST, "--dry-run"]) == 0
    assert "SHA-256 71e82a48" in capsys.readouterr().out
