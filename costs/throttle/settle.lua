-- Replaces a reservation by what the work really took; a second report of the same lease changes nothing.
-- Arguments: lease id, five real amounts, how many pieces of work they are.
-- Answers 1 settled, 2 settled after its lease had run out, 0 unknown (settled before, or Redis was emptied).
local given = arguments()
local packed = redis.call('HGET', PREFIX .. 'leases', given[1])
local answer, lease = 1, nil
if packed then
  redis.call('HDEL', PREFIX .. 'leases', given[1])
  redis.call('ZREM', PREFIX .. 'expiries', given[1])
  lease = lease_of(packed)
  add(lease, lease.reserved, 6, -1)
else
  local late = late_of(now_ms(), 0)
  packed = redis.call('HGET', late, given[1])
  if not packed then
    late = late_of(now_ms(), 1)
    packed = redis.call('HGET', late, given[1])
  end
  if not packed then return 0 end
  redis.call('HDEL', late, given[1])
  lease = lease_of(packed)
  answer = 2
end
local real = {}
for place = 1, PLACES do real[place] = tonumber(given[1 + place]) end
add(lease, real, 1, 1)
local minute = math.floor(now_ms() / 60000)
for _, scope in ipairs(lease.scopes) do
  local recent = PREFIX .. lease.day .. ':recent:' .. scope
  for place = 1, PLACES do
    if real[place] > 0 then redis.call('HINCRBY', recent, minute .. ':' .. place, whole(real[place])) end
  end
  redis.call('EXPIRE', recent, 3600)
end

local pieces = tonumber(given[7])
if pieces > 0 then
  local key, field = PREFIX .. lease.day, 'habit:' .. lease.habit
  local kept = redis.call('HGET', key, field)
  local habit = habit_of(kept)
  for place = 1, PLACES do
    local each = real[place] / pieces
    habit[place] = kept and habit[place] + (each - habit[place]) / 8 or each
    if lease.given[place] > 0 then
      -- Quick to grow, slow to shrink: an estimate that fell short once may do so again at once.
      local stretch = math.min(math.max(real[place] / lease.given[place], 1), 10)
      local was = habit[PLACES + place]
      habit[PLACES + place] = stretch > was and stretch or was + (stretch - was) / 32
    end
  end
  redis.call('HSET', key, field, struct.pack(HABIT, unpack(habit)))
end
return answer
