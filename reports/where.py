"""Where to get what a claim needs: weights by method, data sets that nobody registered yet.

Addresses are those of the authors' own pages. A registered data set says itself where it
comes from; this list serves the claims that wait for one.
"""

from .claim_rules import key
from .claims import Claim

# Data set -> where it is offered.
DATA = {
    "imagenet": "https://image-net.org/download.php (account needed)",
    "imagenet_real": "ImageNet and real.json of https://github.com/google-research/reassessed-imagenet",
    "imagenetv2_matched_frequency": "https://huggingface.co/datasets/vaishaal/ImageNetV2",
    "imagenetv2_threshold0.7": "https://huggingface.co/datasets/vaishaal/ImageNetV2",
    "imagenetv2_top_images": "https://huggingface.co/datasets/vaishaal/ImageNetV2",
    "imagenet_r": "https://github.com/hendrycks/imagenet-r",
    "imagenet_a": "https://github.com/hendrycks/natural-adv-examples",
    "imagenet_sketch": "https://github.com/HaohanWang/ImageNet-Sketch",
    "imagenet_c": "https://zenodo.org/record/2235448",
    "objectnet": "https://objectnet.dev",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar.html",
    "cifar100": "https://www.cs.toronto.edu/~kriz/cifar.html",
    "cifar10.1_v4": "https://github.com/modestyachts/CIFAR-10.1",
    "cifar10.1_v6": "https://github.com/modestyachts/CIFAR-10.1",
    "food101": "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
    "sun397": "https://vision.princeton.edu/projects/2010/SUN/",
    "aircraft": "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/",
    "voc2007": "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
    "dtd": "https://www.robots.ox.ac.uk/~vgg/data/dtd/",
    "pets": "https://www.robots.ox.ac.uk/~vgg/data/pets/",
    "caltech101": "https://data.caltech.edu/records/mzrjq-6wc02",
    "flowers": "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    "stl10": "https://cs.stanford.edu/~acoates/stl10/",
    "places365": "http://places2.csail.mit.edu/",
}

# The first whose letters begin the method's name. Longer names first: ReLICv2 is not ReLIC.
_WEIGHTS = {
    "ReLICv2": "links in the official README, google-deepmind/relicv2",
    "ReLIC": "no official checkpoint is known",
    "BYOL": "links in the official README, google-deepmind/deepmind-research, folder byol",
    "C-BYOL": "links in the README of google-research/compressive-visual-representations",
    "C-SimCLR": "its README's links point at plain SimCLR's: "
    "google-research/compressive-visual-representations",
    "SimCLRv2": "gs://simclr-checkpoints/simclrv2, see the README of google-research/simclr",
    "SimCLR": "gs://simclr-checkpoints/simclrv1, see the README of google-research/simclr",
    "SwAV": "links in the README of facebookresearch/swav",
    "DeepCluster-v2": "links in the README of facebookresearch/swav",
    "SeLa-v2": "links in the README of facebookresearch/swav",
    "MoCo v3": "links in CONFIG.md of facebookresearch/moco-v3",
    "MoCo v2": "links in the README of facebookresearch/moco",
    "DINO": "links in the README of facebookresearch/dino",
    "Barlow Twins": "links in the README of facebookresearch/barlowtwins",
    "VICReg": "links in the README of facebookresearch/vicreg",
    "DetCon-B": "links in the README of google-deepmind/detcon",
    "Supervised (torchvision)": "torchvision.models, weights IMAGENET1K_V1",
    "Supervised torchvision": "torchvision.models, weights IMAGENET1K_V1",
    "Supervised (SimCLRv2": "gs://simclr-checkpoints/simclrv2, see the README of "
    "google-research/simclr",
}


def data_address(data: str) -> str:
    """Return where the data set is offered."""
    return DATA.get(data, "see the paper's own page")


def weights_needed(claim: Claim) -> str:
    """Return what weights the claim is about, and where they are offered."""
    where = next(
        (
            address
            for name, address in sorted(_WEIGHTS.items(), key=lambda item: -len(item[0]))
            if key(claim.method).startswith(key(name))
        ),
        f"see {claim.source}",
    )
    network = f"{claim.method}, {claim.architecture.partition(' (')[0]}"
    return f"needs the weights of {network} ({where}): --checkpoint FILE"
