"""Model prices: the history of rows, the price library, the pages, and repricing of closed days."""
