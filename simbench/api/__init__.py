"""The public functions and classes of `import simbench`: below the commands, above everything else."""
