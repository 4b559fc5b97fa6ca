-- Admits work and reserves what it needs in every capped scope, or says which cap stands in the way.
-- Comes behind quick.lua, whose arguments it has, and sees what did not fit there or is not known yet.
-- Answers {1, tightest scope, place, limit, taken} to run, {2, …} to run downgraded, {0, scope, place, cap, limit,
-- used, reserved, need} to wait, {-1, scopes not counted yet…} or {-2} where the caps are not known.
local given = {struct.unpack('dddddddddddd', ARGV[4])}
local key = PREFIX .. ARGV[2]
local now = now_ms()
expire(now, 100)

local names = {unpack(ARGV, 5)}
local scopes = #names
local asked = {unpack(names)}
asked[scopes + 1] = 'user:*'
asked[scopes + 2] = 'known'
local caps = redis.call('HMGET', PREFIX .. 'caps', unpack(asked))
if not caps[scopes + 2] then return {-2} end
asked[scopes + 1] = 'habit:' .. ARGV[3]
asked[scopes + 2] = nil
local kept = redis.call('HMGET', key, unpack(asked))
local habit = habit_of(kept[scopes + 1])

local need, estimates = {}, {}
for place = 1, PLACES do
  local estimate = given[2 + place]
  estimates[place] = estimate
  if place == 2 then need[place] = estimate
  elseif estimate < 0 then need[place] = math.ceil(habit[place])
  else need[place] = math.ceil(estimate * habit[PLACES + place]) end
end

local unknown, found, writes = {-1}, {}, {}
local refusal, is_full, share, tightest = nil, false, -1, nil
for index = 1, scopes do
  local packed = caps[index]
  -- A user without a budget of their own has that of each user, counted for this one.
  if not packed and string.sub(names[index], 1, 5) == 'user:' then packed = caps[scopes + 1] end
  if packed then
    if not kept[index] then
      unknown[#unknown + 1] = index
    else
      local bounds, counters = {struct.unpack(CAPS, packed)}, counters_of(kept[index])
      local percent = given[7 + index]
      for place = 1, 6 do
        local cap = bounds[place]
        if cap >= 0 then
          local column = place < 6 and place or 5
          local limit = math.floor(cap * percent / 100)
          local used, reserved, wanted = counters[1 + column], counters[6 + column], need[column]
          if place == 6 then used = used + counters[1] end
          local taken = used + reserved
          -- Work that does not state a place may use it, and has to find room there.
          local claims = wanted > 0 or estimates[column] < 0
          if cap == 0 or claims and (taken >= limit or taken + wanted > limit) then
            local full = cap == 0 or taken >= cap or taken + wanted > cap
            if not refusal or full and not is_full or full == is_full and place > refusal[3] then
              refusal = {0, index, place, whole(cap), whole(limit), whole(used), whole(reserved), whole(wanted)}
              is_full = full
            end
          elseif wanted > 0 and taken / limit > share then
            share = taken / limit
            tightest = {1, index, place, limit, taken}
          end
        end
      end
      for place = 1, PLACES do counters[6 + place] = counters[6 + place] + need[place] end
      found[#found + 1] = names[index]
      writes[#writes + 1] = names[index]
      writes[#writes + 1] = packed_counters(counters)
    end
  end
end
if #unknown > 1 then return unknown end
if refusal then
  if is_full or given[2] ~= 1 then return refusal end
  refusal[1] = 2
end
if #found > 0 then
  redis.call('HSET', key, unpack(writes))
  local lease = {ARGV[2], ARGV[3], unpack(need)}
  for place = 1, PLACES do lease[7 + place] = estimates[place] end
  for index, name in ipairs(found) do lease[12 + index] = name end
  redis.call('HSET', PREFIX .. 'leases', ARGV[1], cmsgpack.pack(unpack(lease)))
  redis.call('ZADD', PREFIX .. 'expiries', now + given[1], ARGV[1])
end
if refusal then return refusal end
if tightest then return {1, tightest[2], tightest[3], whole(tightest[4]), whole(tightest[5])} end
return {1}
