"""A bundle says what it holds, and whatever was changed in it is named."""

import hashlib
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, BadRecord, MissingData, RelicheckError, UsageError
from relicheck.evaluations.evaluator import Protocol
from relicheck.evaluations.per_image import write_arrays
from relicheck.evaluations.record import record_text, write_record
from relicheck.reports.bundle import as_json, bundle_claim, bundle_record, content_hash
from relicheck.reports.bundle_check import check_bundle
from relicheck.reports.cli import run
from relicheck.reports.pack import pack, unpack

ANSWERS = "1101101011"  # 7 of 10


def of_knn(scored, **fields):
    """A record with a protocol whose fields give its hash, as an evaluator makes them."""
    own = {"k": 3}
    text = json.dumps({"id": "knn_test/1", **own}, sort_keys=True)
    shown = {"preprocessing": {"image_size": 8}, "precision": "float32"}
    return scored(
        "byol", "knn", fields.pop("answers", ANSWERS), protocol="knn_test/1",
        architecture="ResNet-50 1x", protocol_fields={**own, **shown},
        protocol_sha256=hashlib.sha256(text.encode()).hexdigest(),
        manifest={"spec": {"depth": 18}, "licence": "MIT"}, **fields,
    )  # fmt: skip


@pytest.fixture
def folder(scored, tmp_path):
    item = of_knn(scored)
    write_record(tmp_path / "r", item.record, item.correct)
    return tmp_path / "r"


@pytest.fixture
def digits(claim):
    """A claim that the record reproduces: 70 % printed as 70.0."""
    return claim(
        id="mine/digits/knn", method="BYOL", dataset="digits", data="digits", value="70.0",
        evaluators=("knn",), kind="re_evaluation", margin=0.15, subject="",
    )  # fmt: skip


@pytest.fixture
def bundle(folder, digits, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(bundle_claim(digits, folder))
    return path


def record_of(path):
    return next(name for name in unpack(path) if name.startswith("records/") and "json" in name)


def meddle(path, change, sign=True):
    """Change members; `sign` as somebody does who makes the hashes of the index fit."""
    members = unpack(path)
    change(members)
    if sign:
        index = json.loads(members["bundle.json"])
        index["files"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in members.items()
            if name != "bundle.json"
        }
        index["content_sha256"] = content_hash(index)
        members["bundle.json"] = as_json(index)
    path.write_bytes(pack(members))


def changed_json(members, name, **changes):
    members[name] = as_json({**json.loads(members[name]), **changes})


# What it says.


def test_a_claim_is_computed_and_judged_again_without_data(bundle):
    found = check_bundle(bundle)
    assert found.disagreements == []
    assert [item.value for item in found.records] == [70.0]  # 7 of 10
    assert (found.claim.id, found.judgement.verdict) == ("mine/digits/knn", "reproduced")
    assert found.notes == [
        "claim mine/digits/knn is the bundle's own: this registry has no such id"
    ]


def test_checking_imports_none_of_the_heavy_libraries(bundle):
    code = (
        "import sys; from relicheck.reports.cli import run; "
        f"code = run(['check', {str(bundle)!r}]); "
        "heavy = {'torch', 'jax', 'sklearn', 'PIL', 'pandas', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "verdict reproduced" in done.stdout
    assert done.stdout.endswith("All agrees.\n")


def test_equal_contents_give_equal_bytes_wherever_they_lie(folder, digits, tmp_path):
    assert bundle_claim(digits, folder) == bundle_claim(digits, folder)
    folder.rename(tmp_path / "elsewhere")
    [file] = (tmp_path / "elsewhere").glob("*.json")
    assert bundle_record(file) == bundle_record(file)


def test_any_unzip_program_opens_it(bundle):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == unpack(bundle)


def test_a_claim_that_is_not_reproduced_is_bundled_too_and_agrees(folder, digits, tmp_path, capsys):
    (tmp_path / "b.zip").write_bytes(bundle_claim(replace(digits, value="75.0"), folder))
    assert run(["check", str(tmp_path / "b.zip")]) == 0
    assert "verdict not reproduced: -5.000 points from 75.0" in capsys.readouterr().out


def test_mce_is_computed_again_from_every_cell(scored, tmp_path):
    from relicheck.evaluations.corruption_metrics import mean_corruption_error
    from relicheck.evaluations.corruptions import TEST_CORRUPTIONS
    from relicheck.evaluations.record import hashes_of

    cells = np.random.default_rng(0).random((75, 10)) < 0.6
    errors = {
        name: [1 - cells[5 * k + level].mean() for level in range(5)]
        for k, name in enumerate(TEST_CORRUPTIONS)
    }
    item = of_knn(
        scored, metric="mce", value=mean_corruption_error(errors, TEST_CORRUPTIONS),
        correct_sha256=None, arrays_sha256=hashes_of({"cells": cells}),
    )  # fmt: skip
    path = write_record(tmp_path / "r", item.record, None, {"cells": cells})
    (tmp_path / "b.zip").write_bytes(bundle_record(path))
    found = check_bundle(tmp_path / "b.zip")
    assert found.disagreements == []
    assert found.records[0].value == pytest.approx(item.record.value, abs=1e-12)


def test_miou_is_computed_again_from_the_matrices(scored, tmp_path):
    from relicheck.evaluations.record import hashes_of

    confusions = np.array([[[3, 1], [0, 2]], [[1, 0], [2, 1]]])
    # Pooled [[4, 1], [2, 3]]: IoU 4 / (5 + 6 - 4) and 3 / (5 + 4 - 3).
    item = of_knn(
        scored, metric="miou", value=100 * (4 / 7 + 3 / 6) / 2, images=2, data_images=2,
        correct_sha256=None, arrays_sha256=hashes_of({"confusions": confusions}),
    )  # fmt: skip
    path = write_record(tmp_path / "r", item.record, None, {"confusions": confusions})
    (tmp_path / "b.zip").write_bytes(bundle_record(path))
    assert check_bundle(tmp_path / "b.zip").disagreements == []


def test_the_hash_of_every_registered_protocol_follows_from_its_fields(scored):
    from relicheck.evaluations.evaluator import evaluators
    from relicheck.reports.bundle_check import _protocol_sha256

    for name in evaluators.names():
        protocol: Protocol = evaluators.load(name).protocol

        shown = {**protocol.fields(), "preprocessing": None, "precision": "float32"}
        record = scored("byol", protocol=protocol.id, protocol_fields=shown).record
        assert _protocol_sha256(record) == protocol.digest, name


# What was changed is named.


def test_a_byte_changed_anywhere_is_found(bundle):
    content = bundle.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 + place % 255
        bundle.write_bytes(changed)
        with pytest.raises(BadData):
            unpack(bundle)


def test_a_byte_changed_in_a_member_names_the_member(bundle):
    content = bundle.read_bytes()
    for name, held in unpack(bundle).items():
        place = content.index(held) + len(held) // 2
        bundle.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        with pytest.raises(BadData, match=f"{name} was changed"):
            check_bundle(bundle)


def test_a_file_cut_anywhere_is_refused(bundle):
    content = bundle.read_bytes()
    for length in (0, 3, 4, 29, 100, *random.Random(0).sample(range(len(content)), 50)):
        bundle.write_bytes(content[:length])
        with pytest.raises(BadData, match=r"cut off|not a zip|was changed|leads elsewhere"):
            check_bundle(bundle)


def test_bytes_put_behind_it_are_found(bundle):
    bundle.write_bytes(bundle.read_bytes() + b"PK")
    with pytest.raises(BadData, match="the directory at its end"):
        check_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: changed_json(m, "claim.json", value="70.1"), "claim.json: was changed"),
        (lambda m: m.pop("judgement.json"), "judgement.json: is gone"),
        (lambda m: m.update({"more.txt": b"x"}), "more.txt: was put in"),
    ],
)
def test_a_member_changed_with_its_checksum_is_found_by_its_hash(bundle, change, message):
    meddle(bundle, change, sign=False)
    assert [said for said in check_bundle(bundle).disagreements if message in said]


def test_an_index_that_was_changed_is_found_by_its_own_hash(bundle):
    meddle(bundle, lambda m: changed_json(m, "bundle.json", relicheck="9.9"), sign=False)
    with pytest.raises(BadData, match=r"bundle\.json was changed: its own hash is another"):
        check_bundle(bundle)


def forged(bundle, **changes):
    """Change the bundled record as somebody does who makes its own hash fit as well."""
    from relicheck.evaluations.record import parse_record

    name = record_of(bundle)

    def change(members):
        record = replace(parse_record(members.pop(name).decode(), name), **changes)
        answers = members.pop(name.replace(".json", ".npz"))
        members |= {
            f"records/{record.id}.json": record_text(record).encode(),
            f"records/{record.id}.npz": answers,
        }
        changed_json(members, "bundle.json", records=[record.id])

    meddle(bundle, change)


def test_a_forged_number_is_found_by_computing_it_again(bundle):
    forged(bundle, value=80.0)
    [said] = [s for s in check_bundle(bundle).disagreements if "answers" in s]
    assert "says 80 %, its answers per image give 70 %" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: changed_json(m, "judgement.json", verdict="exceeds"),
         "judgement.json: says verdict exceeds, and the records give reproduced"),
        (lambda m: changed_json(m, "judgement.json", measured=71.0), "says measured 71.0"),
        (lambda m: changed_json(m, "claim.json", value="75.0"),
         "says verdict reproduced, and the records give not reproduced"),
        (lambda m: changed_json(m, "claim.json", value="0.70"), "a fraction was written as it is"),
        (lambda m: changed_json(m, "claim.json", value="NaN"), "NaN"),
        (lambda m: changed_json(m, "claim.json", metric="mIoU"), "mIoU|miou"),
        (lambda m: changed_json(m, "claim.json", surprise="x"), "an unknown field"),
        (lambda m: changed_json(m, "claim.json", id="other"), "is claim other"),
        (lambda m: m.update({"claim.json": b"[]"}), "holds no fields"),
        (lambda m: m.update({"judgement.json": b"{"}), "judgement.json is not JSON"),
    ],
)  # fmt: skip
def test_a_claim_or_judgement_that_does_not_fit_its_records_is_named(bundle, change, message):
    meddle(bundle, change)
    said = "\n".join(check_bundle(bundle).disagreements)
    assert re.search(message, said), said


def test_a_claim_that_the_registry_has_otherwise_is_named(folder, digits, tmp_path):
    path = tmp_path / "b.zip"
    taken = replace(digits, id="byol/objectnet/top1/rn50", value="70.0")
    path.write_bytes(bundle_claim(taken, folder))
    said = check_bundle(path).disagreements
    assert "claim.json: value is '70.0' in the bundle and '23.0' in the registry" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol_sha256": "0" * 64}, "holds no protocols/"),
        ({"protocol_fields": {"k": 9}}, "holds no protocols/"),
        ({"manifest": {"spec": {"depth": 18}, "licence": "?"}}, "holds no checkpoints/"),
        ({"images": 9}, "correct of 10 images"),
    ],
)
def test_a_record_of_another_protocol_or_checkpoint_is_refused(bundle, changes, message):
    forged(bundle, **changes)
    assert re.search(message, "\n".join(check_bundle(bundle).disagreements))


def test_a_record_from_another_checkpoint_is_not_averaged_in(scored, folder, digits, tmp_path):
    other = of_knn(scored, seed=1, weights_sha256="f" * 64)
    path = write_record(folder, other.record, other.correct)
    with pytest.raises(UsageError, match=r"records of 2 networks .* Name them with --record"):
        bundle_claim(digits, folder)
    both = list(folder.glob("*.json"))
    with pytest.raises(BadRecord, match="records of 2 different weights_sha256"):
        bundle_claim(digits, folder, both)
    (tmp_path / "c.zip").write_bytes(bundle_claim(digits, folder, [path]))
    assert check_bundle(tmp_path / "c.zip").disagreements == []


def test_a_number_on_part_of_the_data_is_never_reproduced(scored, digits, tmp_path):
    item = of_knn(scored, data_images=100)
    write_record(tmp_path / "p", item.record, item.correct)
    (tmp_path / "b.zip").write_bytes(bundle_claim(digits, tmp_path / "p"))
    assert check_bundle(tmp_path / "b.zip").judgement.verdict == "consistent"


def test_an_array_that_swells_is_refused(bundle):
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("correct.npy", "w") as member,
    ):
        head = {"descr": "|u1", "fortran_order": False, "shape": (1 << 24,)}
        np.lib.format.write_array_header_1_0(member, head)
        member.write(bytes(1 << 24))
    swollen = bytearray(stream.getvalue())
    # Declares 3 GiB in the directory, 16 MiB in truth.
    place = swollen.rindex(b"PK\1\2") + 24
    swollen[place : place + 4] = (3 << 30).to_bytes(4, "little")
    name = record_of(bundle).replace(".json", ".npz")
    meddle(bundle, lambda m: m.update({name: bytes(swollen)}))
    [said] = [s for s in check_bundle(bundle).disagreements if name in s]
    assert "bytes when unpacked" in said


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "C:\\x", "a\\b", ".hid"])
def test_a_member_that_leads_elsewhere_is_refused(tmp_path, name):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(BadData, match="leads elsewhere"):
        unpack(path)


def test_a_compressed_member_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1 << 24))
    with pytest.raises(BadData, match=r"a is compressed.*pack again"):
        unpack(path)


def test_a_member_twice_is_refused(bundle):
    content = bundle.read_bytes()
    first = content[: content.index(b"PK\3\4", 4)]
    bundle.write_bytes(first + content)
    with pytest.raises(BadData, match=r"holds README\.txt twice"):
        unpack(bundle)


# The commands.


def test_the_commands_from_end_to_end(folder, tmp_path, capsys):
    [file] = folder.glob("*.json")
    output = tmp_path / "out" / "x.zip"
    assert run(["bundle", file.stem, "--records", str(folder), "-o", str(output)]) == 0
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    assert f"sha256 {digest}" in capsys.readouterr().out
    assert run(["check", str(output), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["agrees"], found["sha256"], found["claim"]) == (True, digest, None)
    forged(output, value=80.0)
    assert run(["check", str(output)]) == 1
    assert capsys.readouterr().out.endswith("1 thing disagrees.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nothing.zip"], "there is no such file"),
        (["check", "text.zip"], "not a zip file"),
        (["check", "."], "directory"),
        (["bundle", "byol/objectnet/top1/rn5", "-o", "x.zip"], "Did you mean"),
        (["bundle", "byol/objectnet/top1/rn50", "-o", "x.zip", "--records", "r"],
         "no record speaks of byol/objectnet/top1/rn50.*relicheck verify --claim"),
        (["bundle", "nothing.json", "-o", "x.zip"], "there is no such record"),
        (["bundle", "text.json", "-o", "x.zip"], "cannot be read"),
        (["bundle", "a", "-o", "x.zip", "--claims", "bad.toml"], "not valid TOML"),
        (["bundle", "a", "-o", "x.zip", "--claims", "nowhere"], "there is no such file or folder"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_claim_or_record_is_refused_with_a_message(
    folder, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    for name in ("text.zip", "text.json", "bad.toml"):
        (tmp_path / name).write_text("no such thing")
    assert run(arguments) == 2
    assert re.search(message, capsys.readouterr().err, re.DOTALL)
    assert not (tmp_path / "x.zip").exists()


def test_a_record_that_keeps_no_answers_is_not_bundled(scored, tmp_path):
    item = of_knn(scored, metric="effective_rank", correct_sha256=None, unit="count")
    path = write_record(tmp_path / "r", item.record)
    with pytest.raises(BadRecord, match="nobody could compute it again"):
        bundle_record(path)


def test_an_edited_record_is_not_bundled(folder):
    [file] = folder.glob("*.json")
    write_arrays(file.with_suffix(".npz"), {"correct": np.ones(10, bool)})
    with pytest.raises(BadRecord, match="were changed"):
        bundle_record(file)
    file.unlink()
    with pytest.raises(BadRecord):
        bundle_record(file)


def test_a_folder_without_records_is_refused(digits, tmp_path):
    with pytest.raises(MissingData, match="there is no such folder"):
        bundle_claim(digits, tmp_path / "nothing")


# Whatever a signed bundle holds: a message, and no traceback.


ODD = (None, True, -1, 0, 1e308, 10**40, "", "x" * 300, [], [[]], {}, {"a": None}, "../x", "NaN")


def odd_values(value, rng):
    """A JSON value with one of its parts made something else."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        return {**value, key: odd_values(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = rng.randrange(len(value))
        return [*value[:place], odd_values(value[place], rng), *value[place + 1 :]]
    return rng.choice(ODD)


@pytest.mark.parametrize("seed", range(150))
def test_odd_contents_are_named_and_raise_nothing_else(bundle, seed):
    rng = random.Random(seed)
    path = record_of(bundle)
    name = rng.choice(["claim.json", "judgement.json", "bundle.json", path, path])

    def change(members):
        body = odd_values(json.loads(members[name]), rng)
        if name == path and isinstance(body, dict):
            # By somebody who makes its hash fit: what is left to find are its kinds.
            stated = {k: v for k, v in body.items() if k not in ("schema", "id", "content_sha256")}
            text = json.dumps(stated, sort_keys=True, separators=(",", ":"))
            body["content_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        members[name] = json.dumps(body).encode()

    meddle(bundle, change, sign=name != "bundle.json")
    try:
        found = check_bundle(bundle)
    except RelicheckError:
        return
    # What passes is a footnote that the signer may well have written: never another number.
    assert name != "bundle.json"
    assert found.disagreements or [item.value for item in found.records] == [70.0]


@pytest.mark.parametrize(
    "arrays",
    [
        {"correct": np.zeros(0, bool)},
        {"correct": np.ones((10, 2), bool)},
        {"correct": np.array(1.5)},
        {"correct": np.full(10, np.nan)},
        {"labels": np.ones(10, bool)},
        {},
    ],
    ids=["none", "two sides", "a number", "nan", "another name", "no array"],
)
def test_odd_arrays_are_named_and_raise_nothing_else(bundle, tmp_path, arrays):
    write_arrays(tmp_path / "odd.npz", arrays)
    name = record_of(bundle).replace(".json", ".npz")
    meddle(bundle, lambda m: m.update({name: (tmp_path / "odd.npz").read_bytes()}))
    assert check_bundle(bundle).disagreements
