-- Drops a claim on a target, if it is still this one.
-- KEYS: the claim
-- ARGV: as it was read
-- What is no text at all cannot become a claim: who makes one writes it anew.
local found = redis.pcall('GET', KEYS[1])
if found == ARGV[1] or type(found) == 'table' then redis.call('DEL', KEYS[1]) end
return 0
