-- Shared by every script. Counters are whole numbers; places of an amount: 1 CPU ms, 2 jobs, 3 tokens in,
-- 4 tokens out, 5 nano-dollars of the day; place 6 is the month's nano-dollars, 'm' being those before today.
-- A counter hash holds u1…u5 used, r1…r5 reserved, m, and t<minute>:<place> used in that minute.
local PLACES = 5

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function give_back(lease)
  for _, key in ipairs(lease.keys) do
    if redis.call('EXISTS', key) == 1 then
      for place = 1, PLACES do
        if lease.amounts[place] > 0 then
          redis.call('HINCRBY', key, 'r' .. place, whole(-lease.amounts[place]))
        end
      end
    end
  end
end

-- What was reserved for work that never reported back is free again; its lease is remembered for a late report.
local function expire(expiries, leases, late, now, most)
  local due = redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    local packed = redis.call('HGET', leases, id)
    if packed then
      give_back(cmsgpack.unpack(packed))
      redis.call('HDEL', leases, id)
      redis.call('HSET', late, id, packed)
      redis.call('EXPIRE', late, 86400)
    end
    redis.call('ZREM', expiries, id)
  end
  return #due
end
