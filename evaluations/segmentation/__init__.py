"""Semantic segmentation: data sets with masks, their scores, and what is trained on them."""
