"""Our tables of classes against the published ones they were made from."""

import json

from relicheck.evaluations.splits import (
    imagenet_subset,
    imagenet_wnids,
    objectnet_classes,
    objectnet_overlap,
)


def read(real_data, name):
    return json.loads((real_data / "metadata" / name).read_text())


def lines(real_data, name):
    return (real_data / "metadata" / name).read_text().split()


def test_wnids_are_imagenet_s_in_index_order(real_data):
    assert list(imagenet_wnids()) == lines(real_data, "imagenet_wnids.txt")


def test_the_subsets_are_those_of_their_authors(real_data):
    for name in ("imagenet_r", "imagenet_a"):
        wnids = [wnid for _, wnid in imagenet_subset(name)]
        assert wnids == sorted(lines(real_data, f"{name}_wnids.txt"))


def test_the_two_subsets_share_86_classes():
    r, a = ({index for index, _ in imagenet_subset(n)} for n in ("imagenet_r", "imagenet_a"))
    assert (len(r), len(a), len(r & a)) == (200, 200, 86)


def test_objectnet_has_313_classes_and_shares_113_through_125_indices():
    assert len(objectnet_classes()) == 313
    assert len(objectnet_overlap()) == 113
    indices = [index for known in objectnet_overlap() for index in known.imagenet_indices]
    assert len(indices) == len(set(indices)) == 125


def test_objectnet_s_indices_have_the_official_ids(real_data):
    official = read(real_data, "objectnet_imagenet_pytorch_id_to_objectnet_id.json")
    ours = {
        str(index): known.objectnet_id
        for known in objectnet_overlap()
        for index in known.imagenet_indices
    }
    assert ours == official


def test_objectnet_s_folders_have_the_official_names(real_data):
    official = read(real_data, "objectnet_folder_to_objectnet_label.json")
    assert {known.folder: known.name for known in objectnet_classes()} == official


def test_objectnet_s_names_lead_to_the_same_indices_by_the_other_route(real_data):
    names = read(real_data, "objectnet_to_imagenet_1k.json")
    titles = read(real_data, "objectnet_imagenet_to_labels.json")
    for known in objectnet_overlap():
        assert {titles[str(index)] for index in known.imagenet_indices} == set(
            names[known.name].split("; ")
        )


def test_the_order_of_folders_would_mislabel_41_of_the_shared_classes():
    folders = [known.folder for known in objectnet_classes()]
    wrong = [k.folder for k in objectnet_overlap() if folders.index(k.folder) != k.objectnet_id]
    assert len(wrong) == 41
    assert min(wrong) == "beer_bottle"
