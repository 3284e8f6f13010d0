"""Published checkpoints: found by name, held against their hash, opened for real."""

import hashlib
import re
import shutil
from dataclasses import replace

import pytest
import torch

from relicheck.checkpoints import zoo
from relicheck.checkpoints.cache import Part, Received, cache_folder, write_received
from relicheck.checkpoints.drive import direct
from relicheck.checkpoints.errors import BadCheckpoint, BadData, ManifestMismatch, MissingData
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.spec import ResNetSpec

NAMES = zoo.published_names()
ENTRIES = [zoo.read_published(name) for name in NAMES]
HASHED = [entry.name for entry in ENTRIES if entry.sha256 is not None]
BYOL = "byol_resnet50_1x"  # a checkpoint whose authors publish no hash


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=HASHED)
def entry(request):
    return zoo.read_published(request.param)


@pytest.fixture
def byol(monkeypatch, tmp_path):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    return zoo.read_published(BYOL)


def manifest_of(entry, **changes):
    values = {
        "spec": entry.spec,
        "preprocessing": entry.preprocessing,
        "method": "unstated",
        "source": entry.file,
        "licence": "unstated",
        "source_sha256": "0" * 64,
    }
    return Manifest(**{**values, **changes})


# What the entries say.


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_states_address_licence_and_source(name):
    entry = zoo.read_published(name)

    assert entry.address.startswith("https://")
    assert re.fullmatch(r"(CC-BY-NC|CC-BY|Apache|BSD|MIT)[\w.-]*", entry.licence)
    assert re.match(r"[\w.-]+/[\w.-]+ (at [0-9a-f]{12}|[\d.]+), ", entry.source)
    assert entry.accuracy or not entry.claims or entry.method in ("relicv2", "detcon_b")


@pytest.mark.parametrize("name", NAMES)
def test_every_address_leads_to_a_file_over_https(name):
    entry = zoo.read_published(name)

    assert all(direct(address).startswith("https://") for address in entry.addresses)
    assert "/" not in entry.file
    # A page of a repository or of a bucket's console holds links, not bytes.
    pages = ("/tree/", "/view", "console.cloud", "storage.cloud")
    assert not any(page in direct(a) for a in entry.addresses for page in pages)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_network_or_the_reason_why_relicheck_does_not_open_it(name):
    entry = zoo.read_published(name)

    assert (entry.spec is None) == bool(entry.refused)
    assert entry.stated_bytes is None or 1e6 < entry.stated_bytes < 1e10


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_hashes_are_written_as_hashes_are(name):
    entry = zoo.read_published(name)

    assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
    for prefix in (entry.sha256_prefix, entry.md5_prefix):
        assert prefix is None or re.fullmatch("[0-9a-f]{8}", prefix)
    if entry.sha256_prefix is not None:
        assert entry.sha256_prefix in entry.file


def test_no_two_entries_are_the_same_file_but_those_that_say_so():
    addresses = [entry.addresses for entry in ENTRIES]
    twice = {entry.name for entry in ENTRIES if addresses.count(entry.addresses) > 1}

    # The README of compressive-visual-representations links plain SimCLR's files there.
    assert twice == {
        f"compressive_{method}_resnet50_{width}x"
        for method in ("simclr", "c_simclr")
        for width in (1, 2)
    }
    mislinked = zoo.read_published("compressive_c_simclr_resnet50_1x")
    assert "points at" in mislinked.note
    assert mislinked.method == "simclr"
    assert mislinked.claims == ()


# How many of each the list names: its table "Where they are".
@pytest.mark.parametrize(
    ("prefix", "count"),
    [
        ("relicv2_", 7),
        ("byol_", 2 + 12),
        ("simclr_", 3),
        ("simclrv2_", 13 + 6 * 4),  # 13 pretrained; six plain ones also tuned on 1, 10, 100 %
        ("compressive_", 11),  # or trained with labels
        ("swav_", 10),
        ("deepcluster_v2_", 3),
        ("sela_v2_", 2),
        ("moco_", 6),
        ("dino_", 2),
        ("barlow_twins_", 2),
        ("vicreg_", 6),
        ("detcon_b_", 2),
        ("torchvision_", 8),
    ],
)
def test_every_published_checkpoint_of_the_field_has_an_entry(prefix, count):
    assert len([name for name in NAMES if name.startswith(prefix)]) == count


def test_the_facts_that_cost_others_points_are_in_the_entries():
    read = zoo.read_published

    assert read("byol_resnet50_1x").spec.padding == "same"
    assert read("byol_resnet50_1x").licence == "CC-BY-NC-4.0"
    assert read("byol_resnet50_1x").non_commercial
    assert read("simclr_resnet50_1x").preprocessing.std == (1.0, 1.0, 1.0)
    # Unlike Google's SimCLR, this one normalises: its flag is `byol` unless it is set.
    assert read("compressive_simclr_resnet50_1x").preprocessing.std == (0.229, 0.224, 0.225)
    # Not ImageNet's 0.229: facebookresearch/swav, eval_linear.py and multicropdataset.py.
    assert read("swav_800ep").preprocessing.std[0] == 0.228
    assert read("dino_resnet50").preprocessing.interpolation == "bicubic"
    assert read("torchvision_resnet50_v2").preprocessing.resize == 232


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("gs://bucket/a/b.index", "https://storage.googleapis.com/bucket/a/b.index"),
        (
            "https://storage.cloud.google.com/simclr-gcs/checkpoints/ResNet50_1x.zip",
            "https://storage.googleapis.com/simclr-gcs/checkpoints/ResNet50_1x.zip",
        ),
        (
            "https://drive.google.com/file/d/1Pq_L-s/view?usp=share_link",
            "https://drive.usercontent.google.com/download?id=1Pq_L-s&export=download&confirm=t",
        ),
        ("https://dl.fbaipublicfiles.com/dino/a.pth", "https://dl.fbaipublicfiles.com/dino/a.pth"),
    ],
)
def test_pages_and_buckets_are_turned_into_addresses_of_files(given, file):
    assert direct(given) == file


# Where files are looked for.


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert cache_folder() == tmp_path / "named"
    monkeypatch.delenv("RELICHECK_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "relicheck"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "relicheck"


@pytest.mark.parametrize("name", [*HASHED, BYOL])
def test_an_absent_file_names_the_folders_the_address_and_the_command(name, tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    entry = zoo.read_published(name)

    with pytest.raises(MissingData) as error:
        zoo.find_published(entry)

    assert str(tmp_path / "cache" / "weights" / entry.name / entry.file) in str(error.value)
    assert str(tmp_path / "weights") in str(error.value)
    assert entry.address in str(error.value)
    assert f"relicheck fetch {entry.name}" in str(error.value)


@pytest.mark.parametrize(
    "place", [f"cache/weights/{BYOL}", "cache/weights", f"weights/{BYOL}", "weights", BYOL, "."]
)
def test_a_file_is_found_in_the_cache_and_under_the_data_root(byol, tmp_path, place):
    path = tmp_path / place / byol.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")

    assert zoo.find_published(byol) == path


def test_a_name_that_two_publishers_use_is_found_only_in_the_folder_of_its_entry(byol, tmp_path):
    barlow, vicreg = (
        zoo.read_published(name) for name in ("barlow_twins_resnet50", "vicreg_resnet50_1x")
    )
    assert barlow.file == vicreg.file == "resnet50.pth"
    (tmp_path / "weights" / vicreg.name).mkdir(parents=True)
    (tmp_path / "weights" / vicreg.name / vicreg.file).write_bytes(b"whose?")
    (tmp_path / "weights" / vicreg.file).write_bytes(b"whose?")

    assert zoo.locate_published(vicreg) is not None
    assert zoo.locate_published(barlow) is None


def test_a_file_of_the_right_name_and_other_contents_is_refused(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    (tmp_path / entry.file).write_bytes(b"something else")

    with pytest.raises(BadCheckpoint, match="the published file's"):
        zoo.find_published(entry)


@pytest.mark.parametrize(
    ("name", "kind"), [("torchvision_resnet50_v1", "sha256"), ("moco_v2_800ep", "md5")]
)
def test_the_first_digits_of_a_hash_are_held_against_the_file(byol, tmp_path, name, kind):
    entry = zoo.read_published(name)
    (tmp_path / entry.file).write_bytes(b"something else")

    with pytest.raises(BadCheckpoint, match=kind):
        zoo.find_published(entry)

    digest = hashlib.new(kind, b"something else").hexdigest()
    right = replace(entry, **{f"{kind}_prefix": digest[:8]})
    assert zoo.find_published(right) == tmp_path / entry.file


# What a file is known as.


def test_a_file_is_known_by_the_first_digits_that_its_name_states():
    known = zoo.published_with("0676ba61" + "0" * 56)

    assert known is zoo.read_published("torchvision_resnet50_v1")
    assert zoo.published_with("0" * 64) is None


def test_a_file_that_was_fetched_is_known_by_the_hash_it_had(byol, tmp_path):
    received = Received(
        name=BYOL, file=byol.file, sha256="ab" * 32, parts=(Part(address="x", bytes=1, sha256=""),)
    )
    (tmp_path / "cache" / "weights" / BYOL).mkdir(parents=True)

    write_received(tmp_path / "cache" / "weights" / BYOL, received)

    assert zoo.published_with("ab" * 32) is byol


def test_a_broken_record_of_a_download_is_named(byol, tmp_path):
    folder = tmp_path / "weights" / BYOL
    folder.mkdir(parents=True)
    (folder / byol.file).write_bytes(b"weights")
    (folder / "received.json").write_text('{"name": 1}')

    with pytest.raises(BadData, match=r"received\.json"):
        zoo.find_published(byol)
    assert zoo.published_with("0" * 64) is None


def test_a_checkpoint_without_a_published_hash_says_so_in_its_manifest(byol):
    completed = byol.complete(manifest_of(byol))

    assert completed.method == "byol"
    assert completed.licence == "CC-BY-NC-4.0"
    assert completed.source == byol.address
    assert "publish no SHA-256" in completed.warnings[0]


def test_a_checkpoint_with_a_published_hash_needs_no_warning(entry):
    completed = entry.complete(manifest_of(entry, source_sha256=entry.sha256))

    assert completed.warnings == ()


def test_what_is_known_to_be_wrong_with_a_file_is_a_warning_of_its_manifest():
    # The paper states the mean of three seeds; the file is one of them.
    entry = zoo.read_published("byol_300ep_crop_only")

    assert entry.note
    assert entry.complete(manifest_of(entry)).warnings[-1] == entry.note


def test_the_links_that_point_at_another_file_say_so():
    entry = zoo.read_published("compressive_c_simclr_resnet50_1x")

    assert "plain SimCLR" in entry.note
    assert not entry.claims


def test_a_file_with_another_network_than_the_entrys_is_refused(byol):
    # The names and shapes fit; read with torch's padding it would lose 4.6 points.
    torchs = ResNetSpec(depth=50, padding="symmetric")

    with pytest.raises(ManifestMismatch, match=r"padding symmetric.*Wanted: .*padding same"):
        byol.complete(manifest_of(byol, spec=torchs))


def test_a_network_with_selective_kernels_is_refused_with_the_reason():
    entry = zoo.read_published("simclrv2_resnet50_1x_sk")

    with pytest.raises(BadCheckpoint, match="selective kernels"):
        entry.check_spec(ResNetSpec(depth=50), "a file")


def test_a_published_file_opens_under_its_name_and_under_any_other(entry, tmp_path):
    try:
        path = zoo.find_published(entry)
    except MissingData as missing:
        pytest.skip(str(missing))
    renamed = tmp_path / "weights.th"
    shutil.copyfile(path, renamed)
    images = torch.randn(1, 3, 32, 32)

    by_name, by_hash = load_checkpoint(entry.name), load_checkpoint(renamed)

    assert by_name.manifest.licence == by_hash.manifest.licence == entry.licence
    assert by_name.manifest.preprocessing == entry.preprocessing
    with torch.inference_mode():
        assert torch.equal(by_name(images), by_hash(images))
