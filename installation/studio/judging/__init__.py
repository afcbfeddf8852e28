"""How good a memory is: figures, reports, and the experiments of the paper."""
