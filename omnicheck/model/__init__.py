"""The values that travel between the steps: frozen, plain, nothing else."""
