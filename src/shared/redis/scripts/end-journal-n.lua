-- Saves the journal of a recovery for the last time, and gives the locks and the claims on its targets back.
-- KEYS: as granted.lua
-- ARGV: six for granted.lua, journal, how many seconds it is kept
-- Returns 'granted', or why not: then nothing was saved.
-- include decoded.lua
-- include granted.lua
redis.call('SET', KEYS[1], ARGV[7], 'EX', ARGV[8])
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
return 'granted'
