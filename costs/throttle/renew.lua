-- Keeps a reservation for longer, while its work still runs.
-- Arguments: lease id, lease ms. Answers 1, or 0 where the lease has lapsed or was settled.
local given = arguments()
if not redis.call('ZSCORE', PREFIX .. 'expiries', given[1]) then return 0 end
redis.call('ZADD', PREFIX .. 'expiries', now_ms() + given[2], given[1])
return 1
