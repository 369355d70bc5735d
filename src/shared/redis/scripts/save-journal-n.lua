-- Saves the journal of a recovery, and that it is open.
-- KEYS: as granted.lua
-- ARGV: four for granted.lua, journal, id
-- Returns 'granted', or why not: then nothing was saved.
-- include granted.lua
redis.call('SET', KEYS[2], ARGV[5])
redis.call('SET', KEYS[3], ARGV[6])
return 'granted'
