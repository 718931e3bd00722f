"""Pure arithmetic: named metric definitions, baselines, intervals, sweeps. No files."""
