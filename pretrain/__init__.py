"""The producer: self-supervised and supervised pretraining of ResNets in JAX."""
