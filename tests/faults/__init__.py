"""Promises of the product, each tried by breaking something on purpose: `./run faults`."""
