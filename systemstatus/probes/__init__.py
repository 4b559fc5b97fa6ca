"""The questions asked of each layer, one module a layer; each returns a Reading or raises."""
