-- Counts a scope from what PostgreSQL has; a scope that is counted already is brought near it instead.
-- Arguments: day, scope, five used, the month's nano-dollars before the day, seconds to live, minutes that may be
-- on their way, whether to begin with a scope that is not counted (1) or to leave it alone (0).
-- Used becomes at least what PostgreSQL has, and at most that and what was settled in those last minutes, which
-- may not have been rolled up yet: so neither unseen usage nor phantom usage stays.
-- Answers what was counted as used before, place by place; nothing where the scope was not counted.
local given = arguments()
local key, recent = PREFIX .. given[1], PREFIX .. given[1] .. ':recent:' .. given[2]
local now = now_ms()
expire(now, 1000)
local packed = redis.call('HGET', key, given[2])
if not packed and given[11] == '0' then return {} end

local on_its_way = {0, 0, 0, 0, 0}
local oldest = math.floor(now / 60000) - tonumber(given[10])
local settled = redis.call('HGETALL', recent)
for index = 1, #settled, 2 do
  local minute, place = string.match(settled[index], '^(%d+):(%d)$')
  place = tonumber(place)
  if tonumber(minute) < oldest then redis.call('HDEL', recent, settled[index])
  else on_its_way[place] = on_its_way[place] + settled[index + 1] end
end
local counters = packed and counters_of(packed) or {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
local before = {}
counters[1] = tonumber(given[8])
for place = 1, PLACES do
  local truth, here = tonumber(given[2 + place]), counters[1 + place]
  if packed then before[place] = whole(here) end
  counters[1 + place] = packed and math.max(truth, math.min(here, truth + on_its_way[place])) or truth
end
redis.call('HSET', key, given[2], packed_counters(counters))
redis.call('EXPIRE', key, given[9])
return before
