-- Admits work and reserves what it needs in every capped scope, or says which cap stands in the way.
-- KEYS: caps, expiries, leases, late, habits, then a counter hash a scope.
-- ARGV: lease id, lease ms, habit, may be downgraded (0 or 1), five estimates (-1: not known), then for each
-- scope its name and the percent of its caps that binds this tier.
-- Answers {1 run or 2 downgrade, tightest scope, place, limit, taken}, {0, scope, place, cap, limit, used,
-- reserved, need}, {-1, scopes not counted yet…} or {-2} where the caps are not known.
local now = now_ms()
expire(KEYS[2], KEYS[3], KEYS[4], now, 20)

local names = {'known'}
for index = 10, #ARGV, 2 do names[#names + 1] = ARGV[index] end
names[#names + 1] = 'user:*'
local caps = redis.call('HMGET', KEYS[1], unpack(names))
if not caps[1] then return {-2} end

local habit = redis.call('HGET', KEYS[5], ARGV[3])
habit = habit and cmsgpack.unpack(habit) or {mean = {0, 0, 0, 0, 0}, stretch = {1, 1, 1, 1, 1}}
local need = {}
for place = 1, PLACES do
  local estimate = tonumber(ARGV[4 + place])
  if place == 2 then need[place] = estimate
  elseif estimate < 0 then need[place] = math.ceil(habit.mean[place])
  else need[place] = math.ceil(estimate * habit.stretch[place]) end
end

local unknown, keys, tightest, refusal, is_full = {-1}, {}, nil, nil, false
for index = 1, #names - 2 do
  local packed = caps[index + 1]
  -- A user without a budget of their own has that of each user, counted for this one.
  if not packed and string.sub(names[index + 1], 1, 5) == 'user:' then packed = caps[#names] end
  if packed then
    local key, percent = KEYS[5 + index], tonumber(ARGV[9 + 2 * index])
    local kept = redis.call('HMGET', key, 'm', 'u1', 'u2', 'u3', 'u4', 'u5', 'r1', 'r2', 'r3', 'r4', 'r5')
    if not kept[1] then
      unknown[#unknown + 1] = index
    else
      keys[#keys + 1] = key
      local place = 0
      for text in string.gmatch(packed, '%S+') do
        place = place + 1
        if text ~= '-' then
          local column = math.min(place, PLACES)
          local cap = tonumber(text)
          local limit = math.floor(cap * percent / 100)
          local used = tonumber(kept[1 + column] or 0) + (place > PLACES and tonumber(kept[1]) or 0)
          local reserved = tonumber(kept[6 + column] or 0)
          local wanted, taken = need[column], used + reserved
          -- Work that states nothing for a place it may use still has to find room there.
          local is_open = tonumber(ARGV[4 + column]) < 0
          local over = function(bound)
            return cap == 0 or wanted > 0 and taken + wanted > bound or (is_open or wanted > 0) and taken >= bound
          end
          if over(limit) then
            local full = over(cap)
            if not refusal or (full and not is_full) or (full == is_full and place > refusal[3]) then
              refusal = {0, index, place, whole(cap), whole(limit), whole(used), whole(reserved), whole(wanted)}
              is_full = full
            end
          elseif wanted > 0 and limit > 0 and (not tightest or taken / limit > tightest.share) then
            tightest = {share = taken / limit, index = index, place = place, limit = limit, taken = taken}
          end
        end
      end
    end
  end
end
if #unknown > 1 then return unknown end
local action = 1
if refusal then
  if is_full or ARGV[4] ~= '1' then return refusal end
  action = 2
end

if #keys > 0 then
  for _, key in ipairs(keys) do
    for place = 1, PLACES do
      if need[place] > 0 then redis.call('HINCRBY', key, 'r' .. place, whole(need[place])) end
    end
  end
  local lease = {amounts = need, keys = keys, habit = ARGV[3], given = {}}
  for place = 1, PLACES do lease.given[place] = tonumber(ARGV[4 + place]) end
  redis.call('HSET', KEYS[3], ARGV[1], cmsgpack.pack(lease))
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
end
if action == 2 then return {2, unpack(refusal, 2)} end
if tightest then return {1, tightest.index, tightest.place, whole(tightest.limit), whole(tightest.taken)} end
return {1}
