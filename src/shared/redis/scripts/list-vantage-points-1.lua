-- Who is there now. One that would be there for longer than any says it is was put there by nobody.
-- KEYS: the vantage points, by the time at which each runs out
-- ARGV: the longest time ahead (ms)
-- Returns the time in ms, as text, then the members that are alive.
-- include now.lua
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return { tostring(now) } end
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, now + ARGV[1])
table.insert(members, 1, tostring(now))
return members
