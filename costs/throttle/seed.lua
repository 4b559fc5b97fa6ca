-- Counts a scope from what PostgreSQL has; a scope that is counted already is brought near it instead.
-- KEYS: counter hash, expiries, leases, late. ARGV: u1…u5, m, seconds to live, minutes that may be on their way.
-- Used becomes at least what PostgreSQL has, and at most that and what was settled in those last minutes, which
-- may not have been rolled up yet: so neither unseen usage nor phantom usage stays.
-- Answers what was used here before, place by place: the drift.
local now = now_ms()
expire(KEYS[2], KEYS[3], KEYS[4], now, 1000)
local before = redis.call('HMGET', KEYS[1], 'm', 'u1', 'u2', 'u3', 'u4', 'u5')
local recent = {0, 0, 0, 0, 0}
if before[1] then
  local oldest = math.floor(now / 60000) - tonumber(ARGV[8])
  local kept = redis.call('HGETALL', KEYS[1])
  for index = 1, #kept, 2 do
    local minute, place = string.match(kept[index], '^t(%d+):(%d)$')
    if minute then
      if tonumber(minute) < oldest then redis.call('HDEL', KEYS[1], kept[index])
      else recent[tonumber(place)] = recent[tonumber(place)] + tonumber(kept[index + 1]) end
    end
  end
end
local answer = {}
for place = 1, PLACES do
  local truth, here = tonumber(ARGV[place]), tonumber(before[1 + place] or 0)
  local used = before[1] and math.max(truth, math.min(here, truth + recent[place])) or truth
  redis.call('HSET', KEYS[1], 'u' .. place, whole(used))
  answer[place] = before[1] and whole(here) or ''
end
redis.call('HSET', KEYS[1], 'm', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[7])
return answer
