"""What the networks of a recipe learn from: `vaegan` as in 2016, `balanced` as we do it today."""
