"""What a cell is expected to take, held against what it takes, on a hundred real tables."""
