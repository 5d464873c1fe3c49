"""Programs of the developers: benchmarks, fuzzing, soak, reference pages, sample reports."""
