-- Says that a vantage point is there. The whole set runs out too, so that a cloud that is given up leaves nothing.
-- KEYS: the vantage points, by the time at which each runs out
-- ARGV: member, its life in ms
-- include now.lua
local found = redis.call('TYPE', KEYS[1]).ok
if found ~= 'zset' and found ~= 'none' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
return now
