-- Admits work that fits everywhere, the usual case, with as little as that takes; whatever does not fit, or is not
-- known, goes on below, where admit.lua looks at it from the beginning. Nothing is written before it is certain.
-- Reservations that have lapsed still count here: where room is short, admit.lua takes them back first.
-- Arguments: 1 lease id, 2 day, 3 habit, 4 twelve doubles packed: lease ms, may be downgraded (0 or 1), five
-- estimates (-1: not known), for each of up to four scopes the percent of its caps that binds this tier, one unused.
-- Then the scopes' names. Answers four integers packed: tightest scope (0: none), place, limit, taken.
local open, pack, ceil = struct.unpack, struct.pack, math.ceil
local scopes = #ARGV - 4
local key = 'hp:budget:' .. ARGV[2]
local ms, _, e1, e2, e3, e4, e5, p1, p2, p3, p4 = open('ddddddddddd', ARGV[4])
local names = {unpack(ARGV, 5)}
names[scopes + 1], names[scopes + 2] = 'user:*', 'known'
local caps = redis.call('HMGET', 'hp:budget:caps', unpack(names))
names[scopes + 1], names[scopes + 2] = 'habit:' .. ARGV[3], nil
local kept = redis.call('HMGET', key, unpack(names))
local fits, found, writes = caps[scopes + 2], {}, {}

-- What is needed in each place (n), and for how much there has to be room (w): work that does not state a place
-- may use it.
local n1, n2, n3, n4, n5 = e1, e2, e3, e4, e5
local m1, m3, m4, m5, t1, t3, t4, t5 = 0, 0, 0, 0, 1, 1, 1, 1
if kept[scopes + 1] then
  m1, _, m3, m4, m5, t1, _, t3, t4, t5 = open('dddddddddd', kept[scopes + 1])
end
n1 = e1 < 0 and ceil(m1) or ceil(e1 * t1)
n3 = e3 < 0 and ceil(m3) or ceil(e3 * t3)
n4 = e4 < 0 and ceil(m4) or ceil(e4 * t4)
n5 = e5 < 0 and ceil(m5) or ceil(e5 * t5)
local w1, w2 = e1 < 0 and n1 < 1 and 1 or n1, n2
local w3, w4 = e3 < 0 and n3 < 1 and 1 or n3, e4 < 0 and n4 < 1 and 1 or n4
local w5 = e5 < 0 and n5 < 1 and 1 or n5

local percents, share = {p1, p2, p3, p4}, -1
local scope, place, bound, most = 0, 0, 0, 0
for index = 1, fits and scopes or 0 do
  -- A user without a budget of their own has that of each user, counted for this one.
  local packed = caps[index] or string.sub(names[index], 1, 5) == 'user:' and caps[scopes + 1]
  if packed then
    if not kept[index] then fits = false break end
    local percent, taken, limit = percents[index]
    local c1, c2, c3, c4, c5, c6 = open('dddddd', packed)
    local before, u1, u2, u3, u4, u5, r1, r2, r3, r4, r5 = open('ddddddddddd', kept[index])
    --[[ once for each of the six places: loops over tables cost several microseconds
    if cap == 0 then fits = false break end
    if cap > 0 and wanted > 0 then
      taken, limit = counted, cap * percent / 100
      limit = limit - limit % 1
      if taken + wanted > limit then fits = false break end
      if needed > 0 and taken / limit > share then
        share, scope, place, bound, most = taken / limit, index, number, limit, taken
      end
    end
    ]]
    found[#found + 1] = names[index]
    writes[#writes + 1] = names[index]
    writes[#writes + 1] = pack('ddddddddddd', before, u1, u2, u3, u4, u5, r1 + n1, r2 + n2, r3 + n3, r4 + n4, r5 + n5)
  end
end
if fits then
  if writes[1] then
    redis.call('HSET', key, unpack(writes))
    redis.call('HSET', 'hp:budget:leases', ARGV[1],
      cmsgpack.pack(ARGV[2], ARGV[3], n1, n2, n3, n4, n5, e1, e2, e3, e4, e5, unpack(found)))
    local time = redis.call('TIME')
    redis.call('ZADD', 'hp:budget:expiries', time[1] * 1000 + math.floor(time[2] / 1000) + ms, ARGV[1])
  end
  return pack('llll', scope, place, bound, most)
end
