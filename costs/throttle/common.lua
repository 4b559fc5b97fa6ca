-- Shared by every script. Amounts are whole numbers in five places: 1 CPU ms, 2 jobs, 3 tokens in, 4 tokens out,
-- 5 nano-dollars. A cap has a sixth place for the month's nano-dollars; -1 is no cap.
-- One hash a local day holds each scope's counters, packed: what the month spent before that day, five used, five
-- reserved. Beside it lie hashes of what was settled minute by minute, a scope each. What work usually takes and
-- how far its estimates fall short is packed too: five means, five stretches.
-- Arguments come as one text with NUL between them, which Redis and its clients handle soonest.
local PLACES = 5
local COUNTERS = 'ddddddddddd'
local CAPS = 'dddddd'
local HABIT = 'dddddddddd'
local PREFIX = 'hp:budget:'

local function arguments()
  local found, count = {}, 0
  for text in string.gmatch(ARGV[1] .. '\0', '([^%z]*)%z') do
    count = count + 1
    found[count] = text
  end
  return found, count
end

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function counters_of(packed)
  return {struct.unpack(COUNTERS, packed)}
end

local function packed_counters(counters)
  return struct.pack(COUNTERS, unpack(counters))
end

local function habit_of(packed)
  if packed then return {struct.unpack(HABIT, packed)} end
  return {0, 0, 0, 0, 0, 1, 1, 1, 1, 1}
end

-- A lease is packed as: day, habit, five reserved, five estimates as given, then the scopes' names.
local function lease_of(packed)
  local parts = {cmsgpack.unpack(packed)}
  return {day = parts[1], habit = parts[2], reserved = {unpack(parts, 3, 7)}, given = {unpack(parts, 8, 12)},
    scopes = {unpack(parts, 13)}}
end

local function add(lease, amounts, offset, sign)
  local key = PREFIX .. lease.day
  for _, scope in ipairs(lease.scopes) do
    local packed = redis.call('HGET', key, scope)
    if packed then
      local counters = counters_of(packed)
      for place = 1, PLACES do
        counters[offset + place] = counters[offset + place] + sign * amounts[place]
      end
      redis.call('HSET', key, scope, packed_counters(counters))
    end
  end
end

-- Where leases that lapsed are remembered, an hour's each: this hour's, or those of so many hours before.
local function late_of(now, hours)
  return PREFIX .. 'late:' .. whole(math.floor(now / 3600000) - hours)
end

-- What was reserved for work that never reported back is free again; its lease is remembered for an hour or two.
local function expire(now, most)
  local due = redis.call('ZRANGEBYSCORE', PREFIX .. 'expiries', '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    local packed = redis.call('HGET', PREFIX .. 'leases', id)
    if packed then
      local lease = lease_of(packed)
      add(lease, lease.reserved, 6, -1)
      redis.call('HDEL', PREFIX .. 'leases', id)
      redis.call('HSET', late_of(now, 0), id, packed)
      redis.call('EXPIRE', late_of(now, 0), 7200)
    end
    redis.call('ZREM', PREFIX .. 'expiries', id)
  end
end
