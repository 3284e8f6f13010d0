"""The consumer: measures a backbone by published protocols, in torch."""
