-- Replaces a reservation by what the work really took; a second report of the same lease changes nothing.
-- KEYS: expiries, leases, late, habits. ARGV: lease id, five real amounts, how many pieces of work they are.
-- Answers 1 settled, 2 settled after its lease had run out, 0 unknown (settled before, or Redis was emptied).
local packed = redis.call('HGET', KEYS[2], ARGV[1])
local answer = 1
if packed then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
  give_back(cmsgpack.unpack(packed))
else
  packed = redis.call('HGET', KEYS[3], ARGV[1])
  if not packed then return 0 end
  redis.call('HDEL', KEYS[3], ARGV[1])
  answer = 2
end
local lease = cmsgpack.unpack(packed)
local minute = math.floor(now_ms() / 60000)
for _, key in ipairs(lease.keys) do
  if redis.call('EXISTS', key) == 1 then
    for place = 1, PLACES do
      local real = tonumber(ARGV[1 + place])
      if real > 0 then
        redis.call('HINCRBY', key, 'u' .. place, whole(real))
        redis.call('HINCRBY', key, 't' .. minute .. ':' .. place, whole(real))
      end
    end
  end
end

-- What this kind of work usually takes, for work that states no estimate; and how far its estimates fall short.
local pieces = tonumber(ARGV[7])
if pieces > 0 then
  local habit = redis.call('HGET', KEYS[4], lease.habit)
  local first = not habit
  habit = habit and cmsgpack.unpack(habit) or {mean = {0, 0, 0, 0, 0}, stretch = {1, 1, 1, 1, 1}}
  for place = 1, PLACES do
    local real = tonumber(ARGV[1 + place])
    local each = real / pieces
    habit.mean[place] = first and each or habit.mean[place] + (each - habit.mean[place]) / 8
    local given = lease.given[place]
    if given > 0 then
      local stretch = math.min(math.max(real / given, 1), 10)
      -- Quick to grow, slow to shrink: an estimate that fell short once may do so again at once.
      local was = habit.stretch[place]
      habit.stretch[place] = stretch > was and stretch or was + (stretch - was) / 32
    end
  end
  redis.call('HSET', KEYS[4], lease.habit, cmsgpack.pack(habit))
end
return answer
