-- Takes orders off the list, while we lead: one that froze must not take away what its successor has yet to read.
-- KEYS: lease, orders
-- ARGV: our lease, order…
-- Returns 1, or 0 when the lease is not ours any more.
-- A key of another type is not ours either.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV do redis.call('LREM', KEYS[2], 1, ARGV[i]) end
return 1
