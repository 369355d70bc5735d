-- Takes an order to power a host off, for one taker, while whoever gave it has the lock of the host. Who took it may ask
-- again.
-- KEYS: the order, the lock
-- ARGV: the token of whoever gave it, who takes it, for how many ms it is known afterwards that it was taken, the key of
-- the assignments (which are only read)
-- Returns 'not-locked'; or 'gone' when it ran out, was withdrawn, or another one took it; else, taken, the time in ms as
-- text and the assignments ('': there are none).
-- include now.lua
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'not-locked' end
local order = redis.call('GET', KEYS[1])
if order ~= 'open' and order ~= ARGV[2] then return 'gone' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { tostring(now), redis.call('GET', ARGV[4]) or '' }
