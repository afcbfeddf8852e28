"""The networks of the recipes: `interface` says what every one of them offers; one module for each family."""
