"""SimSiam: an encoder whose fc is a projector of three layers, and a predictor.

facebookresearch/simsiam: simsiam/builder.py names them; main_simsiam.py saves `state_dict` under
`module.`; main_lincls.py takes `encoder` without its `fc`. Both views pass the same encoder:
there is no copy.
"""

from ..torch_family import Family, family_format

FORMAT = family_format(
    Family(
        networks={"encoder": ("encoder.",)},
        is_theirs=lambda beside: beside.parts == {"encoder", "predictor"},
        method=lambda beside: "simsiam",
    ),
    description="SimSiam (encoder, predictor)",
    source="facebookresearch/simsiam: simsiam/builder.py, main_simsiam.py, main_lincls.py",
)
