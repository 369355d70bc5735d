-- Saves the journal of a recovery for the last time, and gives the locks and the claims on its targets back.
-- KEYS: as granted.lua
-- ARGV: five for granted.lua, journal, how many seconds it is kept
-- Returns 'granted', or why not: then nothing was saved.
-- include granted.lua
redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[7])
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
return 'granted'
