-- Prolongs the lock of a recovery.
-- KEYS: lock, assignments
-- ARGV: four for granted.lua, the lock's further life in ms
-- Returns 'granted', or why not.
-- include granted.lua
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'granted'
