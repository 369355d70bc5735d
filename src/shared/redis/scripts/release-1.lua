-- Gives back what is held under a key, if it is still ours.
-- KEYS: the lease, or the lock
-- ARGV: what stands there while it is ours
-- Returns 1, or 0 when it is not ours any more.
-- A key of another type is not ours either.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
