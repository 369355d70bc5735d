-- Who is there now.
-- KEYS: the vantage points, by the time at which each runs out
-- Returns the time in ms, as text, then the members that are alive.
-- include now.lua
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
table.insert(members, 1, tostring(now))
return members
