-- Prolongs the claim of a recovery.
-- KEYS: claim, mandate
-- ARGV: four for granted.lua, the claim's further life in ms
-- Returns 'granted', or why not.
-- include granted.lua
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'granted'
