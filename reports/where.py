"""Where to get what a claim needs: weights by method, data sets that nobody registered yet.

Addresses are those of the authors' own pages. A registered data set says itself where it
comes from; this list serves the claims that wait for one.
"""

from .claim_routes import architecture_of
from .claim_rules import key
from .claims import Claim

# Data set -> where it is offered.
DATA = {
    "imagenet_c": "https://zenodo.org/record/2235448",
    "voc2007_detection": "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
    "nyu_depth_v2": "https://cs.nyu.edu/~silberman/datasets/nyu_depth_v2.html",
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


# Evaluators of a linear classifier of ImageNet's classes.
_READ_A_HEAD = (
    "classifier",
    "classifier_mapped",
    "classifier_masked",
    "corruption_errors",
    "objectnet",
)


def data_address(data: str) -> str:
    """Return where the data set is offered."""
    return DATA.get(data, "see the paper's own page")


def network_of(claim: Claim) -> str:
    """Return the network that the claim is about: `BYOL, ResNet-50 1x`."""
    return f"{claim.method}, {architecture_of(claim.architecture)}"


def weights_address(claim: Claim) -> str:
    """Return where the claim's weights are offered."""
    method = key(claim.method)
    names = sorted(_WEIGHTS, key=len, reverse=True)
    return next(
        (_WEIGHTS[name] for name in names if method.startswith(key(name))), f"see {claim.source}"
    )


def weights_needed(claim: Claim) -> str:
    """Return what weights the claim is about, and where they are offered."""
    needed = f"needs the weights of {network_of(claim)} ({weights_address(claim)})"
    if claim.kind == "probe" and any(e in _READ_A_HEAD for e in claim.evaluators):
        needed += "; a linear classifier that does not come with them is trained on ImageNet"
    return f"{needed}: --checkpoint FILE"
