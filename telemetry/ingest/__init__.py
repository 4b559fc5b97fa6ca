"""Events that applications send over HTTP: read, checked, and stored once each."""
