"""Signs of life of the processes that System Status rests on, and canaries through their queues."""
