-- Drops a claim on a target, if it is still this one.
-- KEYS: the claim
-- ARGV: as it was read
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
