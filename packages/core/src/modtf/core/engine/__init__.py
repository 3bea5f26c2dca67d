"""What happens to values: ops run or traced, noted by tapes, gathered in graphs, compiled."""
