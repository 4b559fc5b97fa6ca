-- Keeps a reservation for longer, while its work still runs.
-- KEYS: expiries. ARGV: lease id, lease ms. Answers 1, or 0 where the lease has lapsed or was settled.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now_ms() + tonumber(ARGV[2]), ARGV[1])
return 1
