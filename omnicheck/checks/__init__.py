"""One file per rule family: pure functions of facts and parameters."""
