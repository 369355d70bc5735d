-- Saves the journal of a recovery for the last time, and gives the claim back.
-- KEYS: claim, mandate, journal, id of the open incident
-- ARGV: four for granted.lua, journal, how many seconds it is kept
-- Returns 'granted', or why not: then nothing was saved.
-- include granted.lua
redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[6])
redis.call('DEL', KEYS[4], KEYS[1])
return 'granted'
