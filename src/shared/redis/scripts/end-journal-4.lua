-- Saves the journal of a recovery for the last time, and gives the lock back.
-- KEYS: lock, assignments, journal, id of the open journal
-- ARGV: four for granted.lua, journal, how many seconds it is kept
-- Returns 'granted', or why not: then nothing was saved.
-- include granted.lua
redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[6])
redis.call('DEL', KEYS[4], KEYS[1])
return 'granted'
